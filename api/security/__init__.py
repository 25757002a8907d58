"""Who may call, and what is refused unseen."""
