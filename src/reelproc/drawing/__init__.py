"""Draw on frames: spotlights and captions, with the fonts that text is set in."""
