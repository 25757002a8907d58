"""TeamFlame in Telegram: a bot, a Mini App, a service for other messengers, and notifications."""
