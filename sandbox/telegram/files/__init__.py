"""Files that were uploaded or sent."""
