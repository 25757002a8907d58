"""Random faults of several nodes."""
