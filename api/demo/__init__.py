"""What SANDBOX=1 adds: a sandbox as a child process and two demo clients."""
