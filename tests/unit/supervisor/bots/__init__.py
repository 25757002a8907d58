"""The life of bots, without their processes."""
