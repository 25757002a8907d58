"""Watching boards, and telling people what others did on them."""
