"""How the console names states, outcomes, columns and actions, one file for each language."""
