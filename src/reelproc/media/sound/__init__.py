"""Decode, stretch, mix and encode sound, exact to the sample."""
