"""What the kernel takes from a worker."""
