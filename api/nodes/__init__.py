"""The other nodes: calls that are handed to them, lists that they add to, and calls about them."""
