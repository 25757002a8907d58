"""The calls about messages: Planfix's webhook, the journal, and files."""
