"""What many numbers cost."""
