"""Set text: clean it, order it, break its lines, and paint it with fonts that have its characters.

From the bottom: ``bidi`` and ``clusters`` know Unicode, ``paragraph`` finds fonts, ``layout`` breaks lines and places
them, ``picture`` draws.
"""
