"""Which nodes are lost, and which node runs how many numbers."""
