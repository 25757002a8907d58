"""The way from Planfix to Telegram."""
