"""What happens to messages and chats, and how accounts are told and shown it."""
