"""Which gateway may run."""
