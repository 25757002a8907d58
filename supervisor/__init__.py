"""The only package that knows worker processes as well as the database."""
