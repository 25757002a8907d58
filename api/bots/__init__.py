"""The calls below `/bots`."""
