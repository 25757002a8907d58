"""The calls below `/planfix`: the chat API, the REST API, and what controls them."""
