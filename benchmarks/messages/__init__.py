"""What messages cost, and how long they take."""
