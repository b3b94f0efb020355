"""Measuring the engine on the machine and the documents at hand; `shizi bench` shows it."""
