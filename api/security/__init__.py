"""Who may call, and which requests are refused before routing."""
