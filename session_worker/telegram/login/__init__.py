"""Logging in and out at Telegram."""
