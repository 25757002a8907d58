"""What the kernel takes away from a worker."""
