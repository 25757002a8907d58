"""How a Planfix comment becomes a Telegram text, in pure functions."""
