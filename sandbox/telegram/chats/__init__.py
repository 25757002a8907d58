"""Mailboxes, chats and what happens in them."""
