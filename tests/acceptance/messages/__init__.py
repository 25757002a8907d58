"""Messages both ways, through the gateway as a program, its workers, the sandbox as another program."""
