"""From Telegram's objects to our values."""
