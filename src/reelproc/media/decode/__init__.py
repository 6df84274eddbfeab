"""Decode with PyAV, past any damage."""
