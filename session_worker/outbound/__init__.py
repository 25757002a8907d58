"""From Planfix to Telegram."""
