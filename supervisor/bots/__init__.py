"""The bots: their life, what programs ask of them, and the people who register with them."""
