"""Who registers with a bot, and what bots hear."""
