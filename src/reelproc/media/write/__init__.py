"""Encode frames into a video file."""
