"""The sending methods of the Bot API: a program changes its base address and gains a durable queue."""
