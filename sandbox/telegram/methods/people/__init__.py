"""The methods about users, contacts and profiles."""
