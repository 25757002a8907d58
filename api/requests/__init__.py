"""How calls are read and answered."""
