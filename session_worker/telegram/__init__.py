"""The Telegram connection of one number: the only room that imports Telethon."""
