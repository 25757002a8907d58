"""From Telegram to Planfix."""
