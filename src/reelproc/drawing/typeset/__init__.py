"""Text to picture: cleaned, ordered, wrapped, drawn with fonts that have its characters, and painted.

From the bottom: ``bidi`` and ``clusters`` know Unicode, ``paragraph`` finds fonts, ``layout`` breaks lines and places
them, ``picture`` draws.
"""
