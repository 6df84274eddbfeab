"""Hold pictures in memory: frames, where they are placed, how they are resampled and painted on."""
