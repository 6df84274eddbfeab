"""Spotlights of any shape anywhere, and text of any content, keep to their bounds."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from reelproc.drawing.typeset.bidi import levels, visual_order
from reelproc.drawing.typeset.clusters import clean, clusters, words
from reelproc.drawing.typeset.layout import Fonts, set_text
from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay
from reelproc.stages.text import TextPosition, TextSpec, TextStroke
from reelproc.timing import merge_spans

SIZES = st.integers(1, 40)
PLACES = st.floats(-200, 200)
RADII = st.one_of(st.floats(0.01, 100), st.floats(100, 1e8))
SHARES = st.floats(0, 1)


@st.composite
def keyframes(draw):
    times = draw(st.lists(st.floats(-5, 15), min_size=1, max_size=4, unique=True))
    return [
        HighlightKeyframe(
            time=t,
            x=draw(PLACES),
            y=draw(PLACES),
            radius_x=draw(RADII),
            radius_y=draw(RADII),
            opacity=draw(SHARES),
            stroke_opacity=draw(SHARES),
            fill_opacity=draw(SHARES),
            color=draw(st.sampled_from([None, "#ff0000", "#0000ff"])),
        )
        for t in times
    ]


@given(
    keyframes=keyframes(),
    width=SIZES,
    height=SIZES,
    pix_fmt=st.sampled_from(["yuv420p", "yuv444p"]),
    effect=st.sampled_from(["dark_overlay", "brightness_boost", "original"]),
    shape=st.sampled_from(["body", "ground"]),
    stroke=st.floats(0, 50),
    time=st.floats(-1, 12),
)
@settings(max_examples=150)
def test_any_spotlight_is_drawn_on_frames_of_any_size(keyframes, width, height, pix_fmt, effect, shape, stroke, time):
    overlay = Overlay(
        regions=[HighlightRegion(start_time=0, end_time=8, keyframes=keyframes)],
        effect=effect,
        shape=shape,
        stroke_width=stroke,
        fill=stroke > 25,
    )
    frame = Frame.empty(width, height, pix_fmt)
    frame.data[:] = np.random.default_rng(width * 41 + height).integers(16, 236, frame.data.size)
    before = frame.data.copy()
    stream = StreamInfo(width, height, Fraction(10), pix_fmt)
    after = overlay.open(stream, Target())(frame, time)
    inside = any(start <= max(0, min(time, 10)) <= end for start, end in overlay.active_spans(stream))
    if not inside:
        assert np.array_equal(after.data, before)
    elif effect == "dark_overlay" and not stroke:
        # dimming moves every code towards black's, never past it nor away
        luma, was = after.planes[0].astype(int), before[: width * height].reshape(height, width).astype(int)
        assert (luma <= was).all()
        assert (luma >= 16).all()


@given(
    spans=st.lists(st.tuples(st.fractions(-3, 9), st.fractions(0, 5)), max_size=6),
    duration=st.fractions(Fraction(1, 10), 8),
    moments=st.lists(st.fractions(0, 8), max_size=20),
)
def test_merged_spans_hold_the_same_moments(spans, duration, moments):
    spans = [(start, start + length) for start, length in spans]
    merged = merge_spans(spans, duration)
    assert all(0 <= a <= b <= duration for a, b in merged)
    assert all(one[1] < two[0] for one, two in itertools.pairwise(merged))
    for moment in (*moments, *(edge for span in spans for edge in span)):
        if 0 <= moment <= duration:
            assert any(a <= moment <= b for a, b in spans) == any(a <= moment <= b for a, b in merged)


TEXTS = st.text(
    st.one_of(
        st.sampled_from("abc XYZ 123 .,:()[]-–\n\t äöü שלום عربي٣ 日本語。「」 ไทย नि ⚽👍🏽🇩🇪"),
        st.sampled_from("\u0301\u200d\u200f\ufe0f\u0338\u202e\x00"),
        st.characters(codec="utf-8", max_codepoint=0x2FFF),
    ),
    max_size=60,
)


@given(text=TEXTS)
@settings(max_examples=300)
def test_no_text_is_lost_or_added_on_its_way_to_the_line(text):
    text = clean(text)
    assert "".join(clusters(text)) == "".join(words(text)) == text
    base, found = levels(text)
    assert len(found) == len(text)
    assert all(base <= level <= base + 2 for level in found)
    assert sorted(visual_order(found)) == list(range(len(text)))


@given(text=TEXTS, width=st.floats(10, 300), size=st.floats(4, 40))
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
def test_every_line_keeps_to_the_width_and_the_block_to_the_height(text, width, size):
    fonts = Fonts("sans", size)
    try:
        block = set_text(text, fonts, max_width=width, max_height=100.0)
    except SpecError:
        reject()  # a character that no font has
    assert block.lines == 1 or block.ink.bottom - block.ink.top <= 100
    by_line: dict[float, float] = {}
    count: dict[float, int] = {}
    for run, _, y in block.runs:
        by_line[y] = by_line.get(y, 0) + fonts.length(run)
        count[y] = count.get(y, 0) + len(clusters(run.text))
    for y, length in by_line.items():
        assert length <= width + 1e-6 or count[y] <= 2  # one character that is wider than the line, and its ellipsis


@given(
    text=st.sampled_from(["Goal!", "jÄg\nyÅ", "שלום 3:2", "a long line that has to be broken to be seen"]),
    x=st.floats(-2, 3),
    y=st.floats(-2, 3),
    size=st.floats(0.02, 0.3),
    align=st.sampled_from(["left", "center", "right"]),
    stroke=st.one_of(st.none(), st.floats(0, 0.2)),
)
@settings(max_examples=60)
def test_text_stays_in_the_frame_wherever_it_is_put(text, x, y, size, align, stroke):
    spec = TextSpec(
        text=text,
        position=TextPosition(x=x, y=y),
        size=size,
        align=align,
        stroke=None if stroke is None else TextStroke(width=stroke),
        font="sans",
    )
    picture = spec.picture(320, 240)
    seen = picture.rgba[..., 3] > 0.35
    rows, columns = np.nonzero(seen)
    if rows.size == 0:
        pytest.fail("nothing was drawn")
    assert picture.x + columns.min() >= 0
    assert picture.x + columns.max() < 320
    assert picture.y + rows.min() >= 0
    assert picture.y + rows.max() < 240
