"""Who gets the next turn of an engine: pure decisions, without a clock or a thread."""
