"""The engine process: the models behind the Open Inference Protocol, who speaks to it, and who looks after it."""
