"""What `make bench`, `make soak` and `make chaos` run."""
