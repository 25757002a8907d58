"""What nodes exchange."""
