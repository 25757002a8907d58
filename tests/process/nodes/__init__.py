"""What nodes agree on through a real PostgreSQL."""
