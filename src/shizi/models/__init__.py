"""The networks: their cards, where they come from, and what stands before and after each of them."""
