"""Orders of many documents, worked off in the background: states, the tables that hold them, delivery, workers."""
