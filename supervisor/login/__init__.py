"""How a number gets its Telegram session."""
