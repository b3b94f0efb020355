"""Clients of a server of shizi: one that blocks, one for asyncio, and the parts that both are made of."""
