"""The addresses for operators and platforms."""
