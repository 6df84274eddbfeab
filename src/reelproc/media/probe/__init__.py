"""Look at a media file: streams, sizes, colours and exact times."""
