"""The demo: a match that is drawn, not filmed, and the reel that is made of it; or a reel of anybody's footage."""
