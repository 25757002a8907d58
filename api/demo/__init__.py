"""What SANDBOX=1 adds: the sandbox as a child process, and two demo clients."""
