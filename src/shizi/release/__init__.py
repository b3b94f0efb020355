"""What makes the next model better than this one: corrections by people, kept as lines to train on."""
