"""From our values to Telegram's requests."""
