"""Looking at a result: single frames as a render makes them, whatever remembers, breaks or lies elsewhere."""

from __future__ import annotations

import io
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import reelproc as rp
from faulty_s3 import S3Service
from media_factory import damage_packet, numbered_video, planes_of, read_number
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.render.contact_sheet import timecode
from reelproc.render.preview import NEAR_SECONDS

LOSSLESS = rp.Output(width=96, height=128, crf=0, audio=False)


def lumas(reel: rp.Reel, path: Path, **options: object) -> list[np.ndarray]:
    """The luma of each frame of a render without loss."""
    run_job(rp.RenderJob.model_validate({"reel": reel, "output": path, **options}), JobContext())
    return [planes[0] for planes in planes_of(path)]


def fading(path: Path) -> Path:
    """Ninety frames that get brighter by less than a level each: what ``dedupe`` passes over."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 96, 128, "yuv420p"
        for number in range(90):
            frame = av.VideoFrame(96, 128, "yuv420p")
            for plane, level in zip(frame.planes, (60 + number // 2, 128, 128), strict=True):
                plane.update(bytes([level]) * plane.buffer_size)
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def test_a_frame_that_depends_on_those_before_it_is_made_as_a_render_makes_it(tmp_path: Path) -> None:
    clip = rp.Clip(source=fading(tmp_path / "fade.mp4"), stages=[rp.Upscale(model="lanczos", dedupe=5)])
    reel = rp.Reel(clips=[clip], output=LOSSLESS)
    frames = lumas(reel, tmp_path / "whole.mp4")
    wanted = [70, 5, 33, 70]
    stills = rp.preview(reel, time=[Fraction(n, 30) for n in wanted])
    assert [still.planes[0][0, 0] for still in stills] == [frames[n][0, 0] for n in wanted]
    plain = rp.preview(reel.model_copy(update={"clips": (rp.Clip(source=clip.source),)}), time=33 / 30)
    assert plain.planes[0][0, 0] != frames[33][0, 0]  # so it does depend on them


def test_a_frame_that_cannot_be_decoded_is_an_error_or_concealed_as_in_a_render(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "good.mp4", frame_count=40, b_frames=0, gop_size=1)
    damage_packet(made, tmp_path / "bad.mp4", 20)
    reel = rp.Reel(clips=[rp.Clip(source=tmp_path / "bad.mp4")], output=LOSSLESS)
    times = [Fraction(n, 30) for n in (10, 20, 21)]
    with pytest.raises(rp.DecodeError, match="on_damage='conceal'"):
        rp.preview(reel, time=times)
    frames = lumas(reel, tmp_path / "whole.mp4", on_damage="conceal")
    stills = rp.preview(reel, time=times, on_damage="conceal")
    assert all(np.array_equal(still.planes[0], frames[still.index]) for still in stills)
    assert np.array_equal(frames[20], frames[19])
    assert [len(still.warnings) for still in stills] == [0, 1, 0]
    assert "0.667 s could not be decoded" in stills[1].warnings[0]


def test_a_video_is_looked_at_as_it_is(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "game.mkv", pts=[0, 40, 90, 500, 540, 1100], width=192, height=108)
    for time, number in ((0, 0), (0.039, 0), (0.04, 1), (0.499, 2), (0.5, 3), (1.0, 4), (1.1, 5)):
        still = rp.preview(made.path, time=time)
        assert read_number(still.planes[0]) == number, time
        assert (still.width, still.height) == (192, 108)
    (first, last) = rp.preview(str(made.path), time=[0.5, 0.1])
    assert (first.time_seconds, last.time_seconds) == (0.5, 0.09)


def test_the_end_shows_the_last_frame_and_nothing_is_shown_beyond(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "game.mp4", frame_count=30)
    plan = rp.plan(rp.Reel(clips=[rp.Clip(source=made.path)], output=LOSSLESS))
    assert rp.preview(plan, time=1.0).index == 29
    assert rp.preview(plan, time=0.9999999).index == 29
    assert rp.preview(plan, time=float(Fraction(20, 30))).index == 20
    assert rp.preview(plan, time="0:00.5").index == rp.preview(plan, time=timedelta(seconds=0.5)).index == 15
    assert [still.index for still in rp.preview(plan, time=["0:00.1", 0.2])] == [3, 6]
    for time in (-0.1, 1.01):
        with pytest.raises(rp.SpecError, match=r"1\.000 s long and shows nothing at .* s; choose a time from 0 to"):
            rp.preview(plan, time=time)
        with pytest.raises(rp.SpecError, match="choose a time from 0 to"):
            rp.preview(made.path, time=time)
    with pytest.raises(rp.SpecError, match="finite"):
        rp.preview(plan, time=float("nan"))
    with pytest.raises(rp.ObjectNotFoundError):
        rp.preview(tmp_path / "none.mp4", time=0)
    assert rp.preview(plan, time=[]) == ()


def test_frames_that_lie_close_share_a_decoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from reelproc.render.clip_frames import ClipFrames

    opened: list[Fraction] = []
    before = ClipFrames._open

    def counted(self: ClipFrames, start: Fraction, *rest: object) -> object:
        opened.append(start)
        return before(self, start, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ClipFrames, "_open", counted)
    made = numbered_video(tmp_path / "game.mp4", frame_count=150)
    reel = rp.Reel(clips=[rp.Clip(source=made.path)], output=LOSSLESS)
    rp.preview(reel, time=[4.0, 0.5, 0.6, 1.2, 0.5])
    assert opened == [Fraction(1, 2), Fraction(4)]
    assert NEAR_SECONDS == 1


def test_a_still_is_an_image_of_the_right_colours_and_shape(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "red.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2)
        frame = av.VideoFrame(64, 64, "yuv420p")
        for plane, level in zip(frame.planes, (81, 90, 240), strict=True):  # red, of BT.601
            plane.update(bytes([level]) * plane.buffer_size)
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    still = rp.preview(tmp_path / "red.mp4", time=0)
    assert still.sample_aspect_ratio == 2
    image = still.to_image()
    assert image.size == (128, 64)
    assert still.to_image(width=32).size == (32, 16)
    red = np.asarray(image)[32, 64]
    assert abs(red.astype(int) - (255, 0, 0)).max() <= 12
    for name, kind in (("a.png", "PNG"), ("a.JPG", "JPEG"), ("a.webp", "WEBP")):
        still.save(tmp_path / name)
        with Image.open(tmp_path / name) as saved:
            assert (saved.format, saved.size) == (kind, (128, 64))
    with Image.open(io.BytesIO(still._repr_png_())) as shown:
        assert shown.size == (128, 64)
    assert repr(still) == "Still(index=0, time_seconds=0.000, 64x64)"
    with pytest.raises(rp.SpecError, match=r"ends in one of \.png.*got 'a\.gif'"):
        still.save("a.gif")
    with pytest.raises(rp.StorageError, match=r"there is no folder .*create it first"):
        still.save(tmp_path / "nowhere" / "a.png")
    assert not list(tmp_path.glob(".*"))


def test_a_remote_reel_is_looked_at_and_nothing_is_left(s3: S3Service, tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "game.mp4", frame_count=60)
    s3.put("games/game.mp4", made.path.read_bytes())
    source = f"s3://{s3.bucket}/games/game.mp4"
    reel = rp.Reel(clips=[rp.Clip(source=source, end=1)], output=LOSSLESS)
    local = rp.Reel(clips=[rp.Clip(source=made.path, end=1)], output=LOSSLESS)
    there, here = rp.preview(reel, time=0.5), rp.preview(local, time=0.5)
    assert np.array_equal(there.planes[0], here.planes[0])
    assert read_number(rp.preview(source, time=1.5).planes[0]) == 45


def test_a_sheet_shows_a_dozen_moments_of_a_reel_or_a_video(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "short.mp4", frame_count=3)
    times = rp.contact_sheet(made.path, tmp_path / "sheet.png", columns=4, rows=2, tile_width=96)
    assert len(times) == 8
    assert sorted(set(np.round(times, 4))) == pytest.approx([0, 1 / 30, 2 / 30], abs=1e-3)
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (10 + 4 * 106, 44 + 2 * (54 + 34))
    reel = rp.Reel(clips=[rp.Clip(source=made.path), rp.Clip(source=made.path)], output=LOSSLESS)
    assert len(rp.contact_sheet(reel, tmp_path / "reel.jpg", columns=2, rows=1)) == 2
    with pytest.raises(rp.SpecError, match="at most 16384 pixels wide"):
        rp.contact_sheet(reel, tmp_path / "wide.png", columns=100, tile_width=4096)
    with pytest.raises(rp.SpecError, match="ends in one of"):
        rp.contact_sheet(reel, tmp_path / "sheet.bmp")


def test_a_timecode_rounds_once() -> None:
    assert [timecode(t) for t in (0, 0.996, 59.999, 3599.995)] == ["0:00.00", "0:01.00", "1:00.00", "60:00.00"]
