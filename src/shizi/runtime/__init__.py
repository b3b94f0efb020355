"""Libraries that run ONNX models, behind one protocol, and what the machine offers them."""
