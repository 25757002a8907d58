"""The house rules that no tool checks, each with its counter-examples."""
