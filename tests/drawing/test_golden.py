"""Spotlights and captions against pictures that were looked at.

A reference is the I420 frame as a grey PNG: luma above, both chroma planes side by side below. After a wanted change,
run with ``REELPROC_WRITE_GOLDENS=1``, look at the pictures, and commit them.

Tolerances: spotlights are arithmetic, 1 code everywhere. Letters depend on the version of FreeType that Pillow carries:
no more than 3 codes on average, and 97 % of the samples within 32.
"""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from reelproc.drawing.typeset.layout import shaping_available
from reelproc.pixels.frame import Frame
from reelproc.stages.banner import Banner
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.text import Text, TextElement, TextPosition, TextRegion, TextShadow, TextSpec, TextStroke

REFERENCES = Path(__file__).parent / "references"


def pitch(width, height):
    """A green pitch, lighter to the right, with bright lines."""
    frame = Frame.empty(width, height, "yuv420p")
    luma, cb, cr = frame.planes
    luma[:] = np.linspace(90, 150, width).astype(np.uint8)[None, :]
    luma[:: height // 3] = 210
    luma[:, width // 2] = 210
    cb[:] = 108
    cr[:] = 104
    return frame


def compare(frame, name, *, worst, share=1.0, mean=255.0):
    luma, cb, cr = frame.planes
    got = np.vstack([luma, np.hstack([cb, cr])])
    file = REFERENCES / f"{name}.png"
    if os.environ.get("REELPROC_WRITE_GOLDENS") == "1":
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), got)
    wanted = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    assert wanted is not None, f"no reference {file}; write it with REELPROC_WRITE_GOLDENS=1 and look at it"
    difference = np.abs(got.astype(int) - wanted)
    assert difference.mean() <= mean
    assert (difference <= worst).mean() >= share


PLAYER = HighlightKeyframe(time=0, x=81.3, y=52.7, radius_x=24.5, radius_y=33.2, opacity=0.5, stroke_opacity=0.85)
RING = {"stroke_width": 20, "fill": True, "fill_opacity": 0.25, "color": "#ffd400"}


@pytest.mark.parametrize(
    ("name", "looks"),
    [
        ("overlay-dim", {}),
        ("overlay-boost", {"effect": "brightness_boost"}),
        ("overlay-dim-ring", RING),
        ("overlay-boost-ring", {**RING, "effect": "brightness_boost"}),
        ("overlay-ground", {**RING, "shape": "ground"}),
        ("overlay-original-ground", {**RING, "shape": "ground", "effect": "original"}),
    ],
)
def test_spotlights_look_as_they_did(name, looks):
    region = HighlightRegion(start_time=0, end_time=9, keyframes=[PLAYER])
    work = Overlay(regions=[region], **looks).open(StreamInfo(160, 120, Fraction(9)), Target())
    compare(work(pitch(160, 120), 1.0), name, worst=1)


def text(words, y, **values):
    spec = TextSpec(
        text=words, position=TextPosition(y=y), **{"size": 0.11, "stroke": TextStroke(width=0.08), **values}
    )
    return TextElement(spec=spec)


TEXTS = {
    "text-latin": [
        text("Golden goal – Müller!", 0.2, shadow=TextShadow(), color="#ffd400"),
        text("Vinícius Jr., Łukasz,\nNguyễn & Đoković", 0.65, font="sans", align="left", stroke=None),
    ],
    "text-right-to-left": [text("שלום, גול 3:2 (abc)", 0.3), text("هدف محمد صلاح 90+3", 0.7)],
    "text-cjk-indic-emoji": [
        text("日本のゴール 中国队 한국", 0.18),
        text("नमस्ते ไทย தமிழ்", 0.5),
        text("⚽🏆👍🏽👨\u200d👩\u200d👧🇩🇪 ★✓", 0.82),
    ],
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_look_as_they_did(name):
    if not shaping_available():
        pytest.skip("Pillow finds no FriBiDi library here, so it cannot shape these texts")
    stage = Text(regions=[TextRegion(start_time=0, end_time=9, elements=TEXTS[name])])
    work = stage.open(StreamInfo(320, 180, Fraction(9)), Target())
    compare(work(pitch(320, 180), 1.0), name, worst=32, share=0.97, mean=3)


@pytest.mark.parametrize("rating", [1, 2, 3, 4, 5])
def test_banners_look_as_they_did(rating):
    stage = Banner(rating=rating, tags=("Pass", "Dribble"), notes="Near post, first touch" if rating % 2 else None)
    work = stage.open(StreamInfo(480, 100, Fraction(9)), Target())
    compare(work(pitch(480, 100), 1.0), f"banner-{rating}", worst=32, share=0.97, mean=3)
