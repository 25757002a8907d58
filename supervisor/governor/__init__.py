"""How many strangers a number may write to, so that Telegram does not take it for a spammer."""
