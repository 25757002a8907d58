"""The bot's conversation: what a person wants, and what they see."""
