"""The tasks of an account: employees write in them, scripts report what happens."""
