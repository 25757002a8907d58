"""The methods about groups, channels and the list of chats."""
