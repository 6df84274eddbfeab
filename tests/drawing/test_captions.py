"""Text on frames: where it stands, when, and what becomes of text that does not fit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.drawing.typeset import layout
from reelproc.drawing.typeset.layout import Fonts, set_text
from reelproc.errors import MissingDependencyError, SpecError
from reelproc.pixels.frame import Frame
from reelproc.stages.banner import Banner
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.text import Text, TextElement, TextPosition, TextRegion, TextShadow, TextSpec, TextStroke

WIDTH, HEIGHT = 320, 180


def stream(pix_fmt="yuv420p", width=WIDTH, height=HEIGHT):
    return StreamInfo(width, height, Fraction(10), pix_fmt)


def black(pix_fmt="yuv420p", width=WIDTH, height=HEIGHT):
    frame = Frame.empty(width, height, pix_fmt)
    frame.planes[0][:] = 16
    frame.planes[1][:] = 128
    frame.planes[2][:] = 128
    return frame


def spec(text="Goal!", **values):
    return TextSpec(text=text, **{"size": 0.15, **values})


def region(*specs, start=0.0, end=10.0, **values):
    return TextRegion(start_time=start, end_time=end, elements=[TextElement(spec=s) for s in specs], **values)


def draw(text, time=1.0, pix_fmt="yuv420p"):
    return text.open(stream(pix_fmt), Target())(black(pix_fmt), time)


def ink(picture, threshold=0.3):
    """(left, top, right, bottom) on the frame of what is clearly there."""
    rows, columns = np.nonzero(picture.rgba[..., 3] > threshold)
    return (
        picture.x + int(columns.min()),
        picture.y + int(rows.min()),
        picture.x + int(columns.max()) + 1,
        picture.y + int(rows.max()) + 1,
    )


def lines_of(text, width, size=20.0, font="sans", **options):
    """What stands on each line, in reading order of left-to-right text."""
    block = set_text(text, Fonts(font, size), max_width=width, max_height=options.pop("max_height", 1e6), **options)
    lines: dict[float, str] = {}
    for run, _, y in block.runs:
        lines[round(y, 3)] = lines.get(round(y, 3), "") + run.text
    return list(lines.values()), block


class TestWhen:
    def test_a_region_shows_on_its_half_open_span(self):
        text = Text(regions=[region(spec(), start=2, end=4)], fade_out=0)
        shown = [bool((draw(text, t).planes[0] != 16).any()) for t in (1.999, 2, 3.999, 4)]
        assert shown == [False, True, True, False]

    def test_its_last_quarter_second_fades_linearly(self):
        text = Text(regions=[region(spec("█", color="#ffffff", font="sans"), start=0, end=4)])
        brightest = [int(draw(text, t).planes[0].max()) for t in (3.75, 3.875, 3.95)]
        assert brightest == [235, round(16 + 219 * 0.5), round(16 + 219 * 0.2)]

    def test_frames_outside_all_regions_keep_every_bit(self):
        frame = Frame.empty(WIDTH, HEIGHT, "yuv420p")
        frame.data[:] = np.random.default_rng(0).integers(0, 256, frame.data.size)
        work = Text(regions=[region(spec(), start=2, end=3)]).open(stream(), Target())
        assert np.array_equal(work(frame.copy(), 1.0).data, frame.data)

    def test_a_disabled_element_or_region_is_not_drawn(self):
        off = TextElement(spec=spec(), enabled=False)
        text = Text(
            regions=[TextRegion(start_time=0, end_time=9, elements=[off]), region(spec(), enabled=False)],
        )
        assert np.array_equal(draw(text).data, black().data)
        assert text.active_spans(stream()) == ()

    def test_a_frame_just_behind_the_streams_end_still_shows_what_lasts_to_it(self):
        text = Text(regions=[region(spec(), start=0, end=11)])
        assert (draw(text, 10.01).planes[0] != 16).any()

    def test_active_spans_are_those_of_the_regions_that_show_something(self):
        text = Text(
            regions=[region(spec(), start=1, end=2), region(spec("  "), start=5, end=6), region(start=7, end=8)]
        )
        assert text.active_spans(stream()) == ((Fraction(1), Fraction(2)),)

    def test_a_reversed_region_is_refused(self):
        with pytest.raises(SpecError, match="ends after it starts, got 4 to 2"):
            region(spec(), start=4, end=2)

    def test_pictures_are_forgotten_when_their_time_is_over(self):
        text = Text(regions=[region(spec(), start=i, end=i + 1) for i in range(5)])
        work = text.open(stream(), Target())
        for i in range(50):
            work(black(), i / 10)
            assert len(work._draw._sprites) <= 1


class TestWhere:
    def test_the_anchor_is_the_blocks_centre_and_the_lines_end_by_align(self):
        for align, edges in (("left", (96, None)), ("right", (None, 96)), ("center", (None, None))):
            left, top, right, bottom = ink(spec("HHH", align=align, position=TextPosition(x=0.3)).picture(320, 180))
            if edges[0]:
                assert left == pytest.approx(96, abs=4)
            elif edges[1]:
                assert right == pytest.approx(96, abs=4)
            else:
                assert (left + right) / 2 == pytest.approx(96, abs=1.5)
            assert (top + bottom) / 2 == pytest.approx(90, abs=1)

    def test_the_size_is_a_fraction_of_the_height(self):
        _, top, _, bottom = ink(spec("H", size=0.5).picture(640, 400))
        assert bottom - top == pytest.approx(200 * 0.714, abs=2)

    def test_lines_stand_below_one_another_at_least_at_the_line_spacing(self):
        _, block = lines_of("A\nB\nC", 100)
        assert sorted({round(run.y, 2) for run in block.runs}) == pytest.approx([-17.86, 7.14, 32.14], abs=0.01)

    @pytest.mark.parametrize("place", [(-3, -3), (3, 3), (0, 1), (1, 0.02)])
    @pytest.mark.parametrize("align", ["left", "center", "right"])
    def test_text_never_leaves_the_frame(self, place, align):
        picture = spec(
            "jÄgq\nsecond", position=TextPosition(x=place[0], y=place[1]), align=align, stroke=TextStroke()
        ).picture(320, 180)
        left, top, right, bottom = ink(picture)
        assert left >= 0
        assert top >= 0
        assert right <= 320
        assert bottom <= 180


class TestWhatFits:
    def test_lines_break_between_words(self):
        lines, block = lines_of("the keeper had no chance", 110)
        assert lines == ["the keeper", "had no", "chance"]
        assert block.complete

    def test_every_line_keeps_to_the_width(self):
        lines, block = lines_of("Vinícius Jr. → 🏆 日本のゴール！ " * 4, 130)
        assert block.ink.right - block.ink.left <= 130 + 2
        assert "".join(lines).replace(" ", "") == ("Vinícius Jr. → 🏆 日本のゴール！ " * 4).replace(" ", "")

    def test_a_word_that_is_too_long_is_broken(self):
        word = "Donaudampfschifffahrtsgesellschaft"
        lines, _ = lines_of("a " + word, 120)
        assert len(lines) > 2
        assert lines[0] == "a"
        assert "".join(lines[1:]) == word

    def test_what_does_not_fit_the_height_ends_in_an_ellipsis(self):
        lines, block = lines_of("one two three four five six seven", 60, max_height=60)
        assert not block.complete
        assert lines[-1].endswith("…")
        assert block.ink.bottom - block.ink.top <= 60

    def test_one_line_is_cut_with_an_ellipsis(self):
        lines, block = lines_of("one two three four five six seven", 100, max_lines=1)
        assert len(lines) == block.lines == 1
        assert lines[0].startswith("one")
        assert lines[0].endswith("…")
        assert block.ink.right - block.ink.left <= 101

    def test_a_book_in_a_caption_costs_no_more_than_what_is_seen(self):
        lines, block = lines_of("word " * 20_000 + "x" * 100_000, 200, max_height=100)
        assert len(lines) <= 4
        assert not block.complete

    def test_blank_lines_and_blank_text(self):
        assert lines_of("", 100)[1].runs == ()
        _, block = lines_of("a\n\nb", 100)
        assert block.lines == 3
        assert np.array_equal(draw(Text(regions=[region(spec("\n  "))])).data, black().data)

    def test_no_line_is_left_empty_where_every_character_is_wider_than_the_width(self):
        for text in ("W W", "W  W W", "⚽ ⚽"):
            lines, block = lines_of(text, 5)
            assert [line.strip() for line in lines] == text.split()
            assert block.lines == len(text.split())

    def test_brackets_without_end_and_marks_without_end_cost_what_is_seen(self):
        lines, _ = lines_of("(" * 60_000 + "a" + ")" * 60_000, 200, max_height=100)
        assert 0 < len(lines) < 100
        picture = spec("a" + "\u0301" * 20_000).picture(320, 180)
        assert picture.rgba.shape[0] <= 180 + 2 * 4

    def test_an_outline_wider_than_the_letters_are_high_is_refused(self):
        with pytest.raises(SpecError, match="less than or equal to 1"):
            TextStroke(width=1.5)


class TestOblongPixels:
    @pytest.mark.parametrize("aspect", [Fraction(4, 3), Fraction(3, 4)])
    def test_letters_and_banners_look_as_on_square_ones(self, aspect):
        shown, stored, banner = round(320 * aspect), 320, Banner(rating=5, name="O")
        for square, oblong in (
            (spec("■").picture(shown, 180), spec("■").picture(stored, 180, aspect)),
            (banner.picture(shown, 1.0), banner.picture(stored, 1.0, aspect)),
        ):
            left, top, right, bottom = ink(square)
            left2, top2, right2, bottom2 = ink(oblong)
            assert (top2, bottom2) == (top, bottom)
            assert [left2 * aspect, right2 * aspect] == pytest.approx([left, right], abs=1.5)

    def test_the_stream_says_so_to_the_stage(self):
        wide = StreamInfo(WIDTH, HEIGHT, Fraction(10), sample_aspect_ratio=Fraction(2))
        text = Text(regions=[region(spec("■", size=0.5))])
        rows, columns = np.nonzero(text.open(wide, Target())(black(), 1.0).planes[0] > 128)
        assert 2 * np.ptp(columns) == pytest.approx(np.ptp(rows), abs=3)


class TestLooks:
    def test_colour_stroke_and_shadow_are_painted_in_that_order(self):
        looks = spec(
            "I",
            size=0.8,
            color="#ff0000",
            stroke=TextStroke(width=0.06, color="#00ff00"),
            shadow=TextShadow(offset_x=0.3, offset_y=0, blur=0, color="#0000ff", opacity=1),
        )
        rgba = looks.picture(320, 180).rgba
        row = rgba[rgba.shape[0] // 2]
        solid = {tuple(p[:3].round().astype(int)) for p in row if p[3] > 0.99}
        assert solid == {(1, 0, 0), (0, 1, 0), (0, 0, 1)}
        reds = np.flatnonzero((row[:, 0] > 0.9) & (row[:, 3] > 0.9))
        greens = np.flatnonzero((row[:, 1] > 0.9) & (row[:, 3] > 0.9))
        assert greens.min() < reds.min() <= reds.max() < greens.max()

    def test_opacity_holds_for_all_of_it(self):
        half = spec(opacity=0.5, stroke=TextStroke(), shadow=TextShadow()).picture(320, 180).rgba
        full = spec(opacity=1.0, stroke=TextStroke(), shadow=TextShadow()).picture(320, 180).rgba
        assert np.allclose(half, full / 2)

    @pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
    def test_white_text_on_grey_stays_grey(self, pix_fmt):
        frame = draw(Text(regions=[region(spec(stroke=TextStroke(), shadow=TextShadow()))]), pix_fmt=pix_fmt)
        for plane in frame.planes[1:]:
            assert np.unique(plane).tolist() == [128]

    def test_text_is_drawn_the_same_every_time(self):
        text = Text(regions=[region(spec("Tor! ⚽ 日本"))])
        assert np.array_equal(draw(text, 1).data, draw(text, 2).data)

    def test_what_could_be_an_instruction_elsewhere_is_only_text_here(self):
        lines, _ = lines_of("%{pts} \\: ':text=x' %n $(x) <b>", 1000)
        assert lines == ["%{pts} \\: ':text=x' %n $(x) <b>"]


class TestScripts:
    def test_right_to_left_text_begins_on_the_right(self):
        _, block = lines_of("שלום abc", 400)
        in_place = sorted(block.runs, key=lambda placed: placed.x)
        assert [placed.run.text for placed in in_place if placed.run.text.strip()] == ["abc", "שלום"]

    def test_arabic_letters_join(self):
        """Joined, the word is narrower than its letters one by one."""
        fonts = Fonts("sans", 40)
        if not fonts.shaping:
            pytest.skip("Pillow finds no FriBiDi here")
        joined = set_text("سلام", fonts, max_width=1e6, max_height=1e6).ink
        apart = sum((b := set_text(c, fonts, max_width=1e6, max_height=1e6).ink).right - b.left for c in "سلام")
        assert joined.right - joined.left < 0.9 * apart

    def test_without_fribidi_plain_scripts_and_emoji_still_work(self, monkeypatch):
        monkeypatch.setattr(layout, "shaping_available", lambda: False)
        lines, _ = lines_of("Müller e\u0301 日本 👨\u200d👩 ❤\ufe0f", 1000)
        assert lines == ["Müller é 日本 👨👩 ❤"]

    @pytest.mark.parametrize("text", ["שלום", "سلام", "नि"])
    def test_without_fribidi_complex_scripts_are_refused_with_the_remedy(self, monkeypatch, text):
        monkeypatch.setattr(layout, "shaping_available", lambda: False)
        with pytest.raises(MissingDependencyError, match="libfribidi0"):
            lines_of(text, 1000)


class TestRefusedBeforeRendering:
    @pytest.mark.parametrize(
        ("values", "message"),
        [({"font": "No Such Font"}, "no font 'No Such Font'"), ({"text": "\U000130b8"}, "HIEROGLYPH")],
    )
    def test_missing_fonts_and_characters(self, values, message, monkeypatch):
        from reelproc.drawing.fonts import library

        monkeypatch.setattr(library, "_system_files", tuple)
        text = Text(regions=[region(spec(**{"text": "x", **values}))])
        with pytest.raises(SpecError, match=message):
            text.resolve(stream(), Target())

    def test_frames_that_are_not_planar(self):
        with pytest.raises(SpecError, match="yuv420p or yuv444p"):
            Text().resolve(stream("bgr24"), Target())


def test_text_survives_json():
    text = Text(
        regions=[region(spec("x\n⚽", shadow=TextShadow(), stroke=TextStroke(), align="left"), id="r", end=3)],
        fade_out=0.5,
    )
    assert Text.model_validate_json(text.model_dump_json()) == text
