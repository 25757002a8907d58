"""What employees write, on its way into Telegram."""
