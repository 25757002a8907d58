"""x."""


async def measure():
    return []
