"""Name the choices in how things are drawn. This module loads no library, so that data models can use it."""

from __future__ import annotations

from typing import Literal

Align = Literal["left", "center", "right"]
"""Of the lines of a text to one another."""

Effect = Literal["dark_overlay", "brightness_boost", "original"]
"""What a spotlight does to the picture: dims all around the ellipse, brightens the inside, or nothing."""

Shape = Literal["body", "ground"]
"""Where tint and ring lie: on the ellipse itself, or flat under the player's feet."""
