"""The Telegram connection of one number; nothing outside this package imports Telethon."""
