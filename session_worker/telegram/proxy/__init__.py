"""Connections to Telegram through a proxy."""
