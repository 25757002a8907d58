"""The session of a bot on a real line to the sandbox."""
