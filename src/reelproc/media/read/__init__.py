"""Read a video frame by frame, by one of several backends."""
