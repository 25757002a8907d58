"""The calls below `/telegram`: the people on the other side of every number, bots and groups."""
