"""What an overlay draws, when, and how strong; and what it refuses."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from reelproc.errors import SpecError
from reelproc.pixels.frame import Frame
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.overlay import HighlightKeyframe, HighlightRegion, Overlay

WIDTH, HEIGHT = 96, 64


def stream(pix_fmt="yuv420p", width=WIDTH, height=HEIGHT, duration=10):
    return StreamInfo(width, height, Fraction(duration), pix_fmt)


def noise(pix_fmt="yuv420p", width=WIDTH, height=HEIGHT, seed=1):
    frame = Frame.empty(width, height, pix_fmt)
    frame.data[:] = np.random.default_rng(seed).integers(16, 236, frame.data.size)
    return frame


def keyframe(time=0.0, **values):
    return HighlightKeyframe(time=time, **{"x": 48, "y": 32, "radius_x": 14, "radius_y": 20, "opacity": 0.5, **values})


def region(start=0.0, end=10.0, *keyframes, **values):
    return HighlightRegion(start_time=start, end_time=end, keyframes=keyframes or [keyframe()], **values)


def draw(overlay, time, pix_fmt="yuv420p", frame=None):
    frame = frame or noise(pix_fmt)
    width, height = frame.width, frame.height
    return overlay.open(stream(frame.pix_fmt, width, height), Target())(frame.copy(), time)


def corner(frame):
    """The top left luma code, outside every ellipse of these tests."""
    return int(frame.planes[0][0, 0])


@pytest.fixture
def grey():
    frame = Frame.empty(WIDTH, HEIGHT, "yuv420p")
    frame.planes[0][:] = 216
    frame.planes[1][:] = 128
    frame.planes[2][:] = 128
    return frame


class TestWhen:
    def test_frames_outside_all_regions_come_out_bit_by_bit(self):
        overlay = Overlay(regions=[region(2, 4)], stroke_width=4, fill=True)
        for time in (0, 1.999, 4.001, 9):
            assert np.array_equal(draw(overlay, time).data, noise().data)

    def test_a_region_is_active_on_its_closed_span(self, grey):
        overlay = Overlay(regions=[region(2, 4)], fade_out=0)
        assert [corner(draw(overlay, t, frame=grey)) for t in (1.99, 2, 3, 4, 4.01)] == [216, 116, 116, 116, 216]

    def test_a_disabled_region_is_not_drawn_and_hides_none(self, grey):
        hidden = region(0, 10, keyframe(opacity=1.0), enabled=False)
        assert corner(draw(Overlay(regions=[hidden]), 1, frame=grey)) == 216
        assert corner(draw(Overlay(regions=[hidden, region(0.5, 10)]), 1, frame=grey)) == 116

    def test_of_overlapping_regions_the_first_by_start_time_wins(self, grey):
        late, early = region(2, 8, keyframe(opacity=0.9)), region(1, 5, keyframe(opacity=0.5))
        overlay = Overlay(regions=[late, early], fade_out=0)
        assert [corner(draw(overlay, t, frame=grey)) for t in (1.5, 3, 6)] == [116, 116, 36]

    def test_a_frame_just_before_the_start_or_behind_the_end_counts_as_there(self, grey):
        overlay = Overlay(regions=[region(0, 10)], fade_out=0)
        assert corner(draw(overlay, -0.02, frame=grey)) == 116
        assert corner(draw(overlay, 10.02, frame=grey)) == 116

    def test_active_spans_are_merged_and_cut_to_the_stream(self):
        overlay = Overlay(
            regions=[region(5, 20), region(1, 2), region(-3, -1), region(0.5, 1.5), region(7, 8, enabled=False)]
        )
        assert overlay.active_spans(stream()) == ((Fraction(1, 2), Fraction(2)), (Fraction(5), Fraction(10)))

    def test_an_overlay_that_shows_nothing_has_no_active_span(self):
        assert Overlay(effect="original", regions=[region()]).active_spans(stream()) == ()
        assert Overlay(effect="original", regions=[region()], stroke_width=1).active_spans(stream()) != ()


class TestHowStrong:
    def test_the_end_fades_quadratically_over_a_quarter_second(self, grey):
        overlay = Overlay(regions=[region(0, 4)])
        # (r / F)^2 with r seconds left of F = 0.25: all, 0.64, 0.25, nothing of a dim by half of 200 codes
        values = [corner(draw(overlay, t, frame=grey)) for t in (3.75, 3.8, 3.875, 4)]
        assert values == [116, 216 - 64, 216 - 25, 216]

    def test_a_short_region_fades_over_half_of_itself(self, grey):
        overlay = Overlay(regions=[region(1, 1.2)])
        values = [corner(draw(overlay, t, frame=grey)) for t in (1.1, 1.15, 1.2)]
        assert values == [116, 216 - 25, 216]

    def test_ring_tint_and_effect_fade_together(self, grey):
        overlay = Overlay(regions=[region(0, 4)], stroke_width=4, fill=True)
        assert np.array_equal(draw(overlay, 4, frame=grey).data, grey.data)

    def test_dim_strength_overrides_the_keyframes(self, grey):
        overlay = Overlay(regions=[region()], dim_strength=0.25)
        assert corner(draw(overlay, 1, frame=grey)) == 166

    def test_opacity_is_interpolated_between_keyframes_in_any_order(self, grey):
        overlay = Overlay(regions=[region(0, 10, keyframe(4, opacity=1.0), keyframe(0, opacity=0.0))])
        assert [corner(draw(overlay, t, frame=grey)) for t in (0, 1, 2, 9)] == [216, 166, 116, 16]

    @pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuv444p"])
    @pytest.mark.parametrize("effect", ["dark_overlay", "brightness_boost", "original"])
    def test_strength_nought_changes_no_bit(self, effect, pix_fmt):
        nothing = keyframe(opacity=0, stroke_opacity=0, fill_opacity=0)
        overlay = Overlay(regions=[region(0, 10, nothing)], effect=effect, stroke_width=3, fill=True)
        assert np.array_equal(draw(overlay, 1, pix_fmt).data, noise(pix_fmt).data)


class TestWhere:
    def test_the_inside_of_a_dimmed_frame_keeps_every_bit(self):
        before, after = noise(), draw(Overlay(regions=[region()]), 1)
        assert np.array_equal(before.planes[0][20:44, 42:54], after.planes[0][20:44, 42:54])
        assert np.array_equal(before.planes[1][10:22, 21:27], after.planes[1][10:22, 21:27])

    def test_keyframes_are_scaled_to_the_frames_they_are_drawn_on(self):
        small = region(0, 10, keyframe(x=24, y=8, radius_x=7, radius_y=5), video_width=48, video_height=16)
        large = region(0, 10, keyframe(x=48, y=32, radius_x=14, radius_y=20))
        for shape in ("body", "ground"):
            looks = {"stroke_width": 3, "fill": True, "shape": shape}
            one, two = (draw(Overlay(regions=[r], **looks), 1) for r in (small, large))
            assert np.array_equal(one.data, two.data)

    @pytest.mark.parametrize(
        "place",
        [
            {"x": -5, "y": 3},
            {"x": -500, "y": -500},
            {"x": 96, "y": 64},
            {"x": 1e6, "y": 32, "radius_x": 1e6 - 10, "radius_y": 1e6},
            {"radius_x": 1e8, "radius_y": 1e8},
            {"radius_x": 0.01, "radius_y": 0.01},
            {"radius_x": 1e7, "radius_y": 0.5},
        ],
    )
    @pytest.mark.parametrize("effect", ["dark_overlay", "brightness_boost"])
    def test_ellipses_anywhere_and_of_any_size_are_drawn(self, place, effect):
        for shape in ("body", "ground"):
            overlay = Overlay(
                regions=[region(0, 10, keyframe(**place))], effect=effect, shape=shape, stroke_width=4, fill=True
            )
            for pix_fmt in ("yuv420p", "yuv444p"):
                draw(overlay, 1, pix_fmt)

    def test_an_ellipse_around_the_whole_frame_dims_nothing(self):
        overlay = Overlay(regions=[region(0, 10, keyframe(radius_x=1e6, radius_y=1e6))])
        assert np.array_equal(draw(overlay, 1).data, noise().data)

    def test_an_ellipse_outside_the_frame_dims_everything(self, grey):
        frame = draw(Overlay(regions=[region(0, 10, keyframe(x=-900))]), 1, frame=grey)
        assert np.unique(frame.planes[0]).tolist() == [116]

    def test_odd_sizes_are_drawn_to_the_last_row_and_column(self):
        frame = noise(width=33, height=21)
        after = draw(Overlay(regions=[region(0, 10, keyframe(x=33, y=21, radius_x=8, radius_y=8))]), 1, frame=frame)
        assert after.planes[0][-1, -1] == frame.planes[0][-1, -1]
        assert after.planes[1][-1, -1] == frame.planes[1][-1, -1]
        assert after.planes[0][0, 0] == round(16 + (int(frame.planes[0][0, 0]) - 16) / 2)

    def test_a_still_ellipse_and_one_that_moved_there_look_alike(self):
        path = [keyframe(0, x=20), keyframe(1, x=40), keyframe(2, x=40)]
        overlay = Overlay(regions=[region(0, 10, *path)], stroke_width=3)
        work = overlay.open(stream(), Target())
        frames = [work(noise(), t) for t in (0.5, 1.0, 1.5)]
        assert not np.array_equal(frames[0].data, frames[1].data)
        assert np.array_equal(frames[1].data, frames[2].data)
        assert np.array_equal(frames[2].data, draw(overlay, 1.5).data)


class TestRingAndTint:
    def test_the_ring_has_its_colour_inside_a_dark_outline(self, grey):
        overlay = Overlay(
            effect="original", stroke_width=100, regions=[region(0, 10, keyframe(stroke_opacity=1, color="#000000"))]
        )
        frame = Frame.empty(540, 540, "yuv444p")
        frame.data[:] = 200
        place = keyframe(x=270, y=270, radius_x=200, radius_y=200, stroke_opacity=1, color="#ff0000")
        overlay = Overlay(effect="original", stroke_width=40, regions=[region(0, 10, place)])
        row = [plane[270].astype(int) for plane in draw(overlay, 1, frame=frame).planes]
        # 40 px at 1080 are 20 px here, centred on x = 70; the outline is 2 px wider: 1 px on either side
        assert [int(channel[70]) for channel in row] == [63, 102, 240]
        assert [int(channel[60]) for channel in row] == [63, 102, 240]
        assert row[0][58] == 200
        assert row[0][59] == round(200 * 0.5 + (16 + 219 * 0.2126 * 0.3) * 0.5)
        assert row[0][81] == 200

    def test_a_ring_is_at_least_two_pixels_wide(self):
        frame = Frame.empty(100, 100, "yuv444p")
        frame.data[:] = 100
        place = keyframe(x=50, y=50, radius_x=30, radius_y=30, stroke_opacity=1, color="#ffffff")
        after = draw(Overlay(effect="original", stroke_width=1, regions=[region(0, 10, place)]), 1, frame=frame)
        assert after.planes[0][50, 17:23].tolist() == pytest.approx([100, 100, 235, 235, 100, 100], abs=70)
        assert after.planes[0][50, 19:21].min() >= 233

    def test_the_tint_follows_colour_and_opacity_of_the_keyframes(self):
        frame = Frame.empty(40, 40, "yuv444p")
        frame.data[:] = 128
        path = [
            HighlightKeyframe(time=t, x=20, y=20, radius_x=9, radius_y=9, fill_opacity=o, color=c)
            for t, o, c in ((0, 0.5, "#000000"), (2, 1.0, "#ffffff"))
        ]
        overlay = Overlay(effect="original", fill=True, regions=[region(0, 10, *path)])
        middle = [int(draw(overlay, t, frame=frame).planes[0][20, 20]) for t in (0, 1, 2)]
        assert middle == [72, round(128 * 0.25 + (16 + 219 / 2) * 0.75), 235]

    def test_overlay_wide_opacities_override_the_keyframes(self):
        frame = Frame.empty(40, 40, "yuv444p")
        frame.data[:] = 128
        place = HighlightKeyframe(time=0, x=20, y=20, radius_x=9, radius_y=9, fill_opacity=0.1, color="#000000")
        overlay = Overlay(effect="original", fill=True, fill_opacity=1.0, regions=[region(0, 10, place)])
        assert draw(overlay, 1, frame=frame).planes[0][20, 20] == 16

    def test_without_fill_and_stroke_width_there_is_neither(self, grey):
        overlay = Overlay(regions=[region(0, 10, keyframe(stroke_opacity=1, fill_opacity=1))])
        assert draw(overlay, 1, frame=grey).planes[0][32, 48] == 216
        assert draw(overlay, 1, frame=grey).planes[0][32, 34] == 216

    def test_the_ground_arc_lies_under_the_feet_and_is_open_behind_the_player(self):
        frame = Frame.empty(200, 200, "yuv444p")
        frame.data[:] = 100
        place = keyframe(x=100, y=80, radius_x=39, radius_y=65, stroke_opacity=1, color="#ffffff")
        overlay = Overlay(effect="original", shape="ground", stroke_width=1, regions=[region(0, 10, place)])
        luma = draw(overlay, 1, frame=frame).planes[0]
        # centre (100, 80 + 50), half axes 60 and 19.5
        assert luma[130, 159] == luma[130, 40] == 235
        assert luma[149, 100] == 235
        assert luma[109:112, 100].tolist() == [100] * 3
        ends = np.flatnonzero((luma == 235).any(axis=1)).min()
        assert ends == pytest.approx(130 - 19.5 / 2, abs=1.5)

    def test_in_ground_shape_the_player_stays_bright(self, grey):
        before, after = grey, draw(Overlay(shape="ground", regions=[region()]), 1, frame=grey)
        assert after.planes[0][32, 48] == before.planes[0][32, 48]
        assert corner(after) == 116


class TestRefused:
    def test_a_reversed_region(self):
        with pytest.raises(SpecError, match="ends after it starts, got 4 to 2"):
            region(4, 2)

    def test_two_keyframes_at_one_time(self):
        with pytest.raises(SpecError, match="2 at 1 s"):
            region(0, 2, keyframe(1), keyframe(0), keyframe(1))

    def test_a_width_without_a_height(self):
        with pytest.raises(SpecError, match="together"):
            region(video_width=1920)

    def test_no_keyframes(self):
        with pytest.raises(SpecError, match="keyframes"):
            HighlightRegion(start_time=0, end_time=1, keyframes=[])

    @pytest.mark.parametrize(
        "values", [{"radius_x": 0}, {"opacity": 1.5}, {"color": "red"}, {"x": float("nan")}, {"surprise": 1}]
    )
    def test_values_without_meaning(self, values):
        with pytest.raises(SpecError):
            keyframe(**values)

    def test_frames_that_are_not_planar(self):
        with pytest.raises(SpecError, match="yuv420p or yuv444p"):
            Overlay().resolve(stream("bgr24"), Target())

    def test_the_size_of_the_stream_is_kept(self):
        assert Overlay(regions=[region()]).resolve(stream(), Target()) == stream()


def test_an_overlay_survives_json():
    overlay = Overlay(
        regions=[region(0, 3, keyframe(color="#12ab00"), id="r", label="9", video_width=10, video_height=20)],
        effect="brightness_boost",
        shape="ground",
        dim_strength=0.2,
        stroke_width=3,
        stroke_opacity=0.5,
        fill=True,
        fill_opacity=0.1,
        color="#ffaa00",
        fade_out=0.1,
    )
    assert Overlay.model_validate_json(overlay.model_dump_json()) == overlay
