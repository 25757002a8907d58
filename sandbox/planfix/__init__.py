"""Planfix accounts that behave as Planfix's chat API is documented to."""
