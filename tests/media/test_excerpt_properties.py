"""The excerpt that is decoded holds what is wanted of every frame, and rests."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from reelproc.media.read.excerpt import MAX_EXCERPT_SHARE, MAX_STEPS, Excerpt, ExcerptStep, PixelBounds, cover


@st.composite
def paths(draw: st.DrawFn) -> tuple[int, int, list[tuple[int, PixelBounds]]]:
    """A frame's size, and parts of it that move and change their size."""
    width, height = (2 * draw(st.integers(8, 2000)) for _ in range(2))
    count = draw(st.integers(1, 60))
    wanted, pts = [], draw(st.integers(-1000, 1000))
    for _ in range(count):
        left, top = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
        right, bottom = draw(st.integers(left + 1, width)), draw(st.integers(top + 1, height))
        wanted.append((pts, PixelBounds(left, top, right, bottom)))
        pts += draw(st.integers(1, 100))
    return width, height, wanted


@given(paths())
def test_an_excerpt_holds_what_is_wanted_and_lies_on_even_pixels_of_the_frame(
    path: tuple[int, int, list[tuple[int, PixelBounds]]],
) -> None:
    width, height, wanted = path
    excerpt = cover(wanted, width, height)
    if excerpt is None:
        return
    assert excerpt.width * excerpt.height <= MAX_EXCERPT_SHARE * width * height
    assert excerpt.width % 2 == excerpt.height % 2 == 0
    assert len(excerpt.steps) <= MAX_STEPS
    for pts, part in wanted:
        x, y = excerpt.origin(pts)
        assert x % 2 == y % 2 == 0
        assert 0 <= x <= part.left < part.right <= x + excerpt.width <= width
        assert 0 <= y <= part.top < part.bottom <= y + excerpt.height <= height


def test_a_long_steady_pan_moves_in_few_steps_by_more_than_a_pixel() -> None:
    pan = [(n, PixelBounds(n, 100, n + 300, 400)) for n in range(1500)]
    excerpt = cover(pan, 1920, 1080)
    assert excerpt is not None
    assert excerpt.width == 334  # 300, 32 to move in, and to an even place
    assert len(excerpt.steps) == 1 + 1500 // 34
    back = cover([(n, PixelBounds(1500 - n, 100, 1800 - n, 400)) for n in range(1500)], 1920, 1080)
    assert back is not None
    assert len(back.steps) <= len(excerpt.steps) + 1


def test_a_wild_path_gets_more_room_instead_of_thousands_of_steps() -> None:
    wild = [(n, PixelBounds(x := (n * 37) % 500, 0, x + 40, 40)) for n in range(10_000)]
    excerpt = cover(wild, 1920, 1080)
    assert excerpt is not None
    assert len(excerpt.steps) <= MAX_STEPS


def test_what_shows_nearly_everything_or_has_odd_sides_is_taken_whole() -> None:
    assert cover([(0, PixelBounds(0, 0, 1900, 1080))], 1920, 1080) is None
    assert cover([(0, PixelBounds(0, 0, 100, 100))], 1921, 1080) is None
    assert cover([], 1920, 1080) is None


def test_the_filter_steps_between_two_frames_never_on_one() -> None:
    excerpt = Excerpt(100, 80, (ExcerptStep(0, 10, 20), ExcerptStep(5, 12, 20), ExcerptStep(9, 6, 40)))
    assert excerpt.filter(Fraction(1, 10)) == "crop=w=100:h=80:x=10+2*gte(t,0.45)-6*gte(t,0.85):y=20+20*gte(t,0.85)"
    origins = [excerpt.origin(pts) for pts in (-3, 0, 4, 5, 8, 9, 99)]
    assert origins == [*[(10, 20)] * 3, *[(12, 20)] * 2, *[(6, 40)] * 2]
