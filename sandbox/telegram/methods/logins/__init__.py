"""The methods with which a client logs in, proves who it is, and ends logins."""
