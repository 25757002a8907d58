"""What the data centre keeps of chats, messages and events."""
