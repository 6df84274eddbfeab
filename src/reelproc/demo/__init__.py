"""``reelproc demo``: a reel of a match that is drawn, not filmed; or of anybody's footage."""
