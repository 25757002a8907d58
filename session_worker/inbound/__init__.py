"""The way from Telegram to Planfix."""
