"""Registering with a bot, and what bots hear."""
