"""Planfix accounts that behave as the documentation of Planfix's chat API says."""
