"""What can be done to a clip: each stage holds its data and its work."""
