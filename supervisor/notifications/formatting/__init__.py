"""Texts of notifications: formats, templates, and how a long text is cut."""
