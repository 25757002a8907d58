"""Several gateways on one PostgreSQL, as programs."""
