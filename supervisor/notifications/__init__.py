"""Notifications: whom they are for, what they say, when they may be sent, and their outcome."""
