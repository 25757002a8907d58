"""The methods with which people use bots, and with which bots present themselves."""
