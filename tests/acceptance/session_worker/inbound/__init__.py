"""The worker's way from Telegram to Planfix, over real MTProto to real HTTP."""
