"""Sockets that are opened only to checked addresses."""
