"""Actions on messages and chats, and how they are shown and pushed to accounts."""
