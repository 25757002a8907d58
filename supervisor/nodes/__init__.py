"""Several gateways on one database: which of them are there, and which numbers each one runs."""
