"""Several gateways on one database: which of them are alive, and which numbers each one runs."""
