"""Bots through the outside alone: the gateway, the sandbox, nothing between them."""
