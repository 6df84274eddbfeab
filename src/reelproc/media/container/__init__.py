"""Open and make container files, and read what libavformat reads past."""
