"""The methods that send, change and read messages."""
