"""The process of one number: the only package that knows Telegram's client."""
