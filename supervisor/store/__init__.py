"""Everything durable except messages."""
