"""What somebody else adds to reelproc."""
