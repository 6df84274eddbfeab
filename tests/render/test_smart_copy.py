"""Smart copy: what nothing is drawn on comes out bit for bit, and the joins cannot be told from a full encode."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, run_ffmpeg
from mp4_edits import joined
from reelproc.executors.local.executor import LocalExecutor
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.media.bitstream.avc import NAL_IDR, AvcConfiguration, nal_types
from reelproc.media.ffmpeg_build import ffmpeg_path
from reelproc.render.plan import Plan
from reelproc.render.plan_reel import plan as plan_with_copies

SECONDS = 12
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv")


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Make 12 seconds of moving picture and sound; each kind once."""
    folder = tmp_path_factory.mktemp("sources")

    def build(name: str, *options: str, filters: str = "null", sound: bool = True) -> Path:
        path = folder / name
        if not path.exists():
            audio = ("-f", "lavfi", "-i", f"sine=440:sample_rate=48000:duration={SECONDS}") if sound else ()
            subprocess.run(
                [
                    *(ffmpeg_path(), "-v", "error", "-f", "lavfi"),
                    *("-i", f"testsrc2=size=320x180:rate=30:duration={SECONDS},format=yuv420p,{filters}", *audio),
                    *("-c:v", "libx264", "-preset", "fast", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0"),
                    *(*BT709, "-c:a", "aac", *options, "-y", str(path)),
                ],
                check=True,
            )
        return path

    return build


def spotlight(start: float, end: float) -> rp.Overlay:
    keyframe = rp.HighlightKeyframe(time=0, x=160, y=90, radius_x=40, radius_y=50, opacity=0.5)
    return rp.Overlay(regions=[rp.HighlightRegion(start_time=start, end_time=end, keyframes=[keyframe])])


def caption(start: float, end: float) -> rp.Text:
    element = rp.TextElement(spec=rp.TextSpec(text="GOAL"))
    return rp.Text(regions=[rp.TextRegion(start_time=start, end_time=end, elements=[element])])


def render(source: Path, output: Path, *, start: float = 0, end: float | None = None, smart_copy: bool = True,
           stages: list[rp.Stage] | None = None) -> rp.RenderResult:  # fmt: skip
    stages = [spotlight(5.2, 6.9)] if stages is None else stages
    clip = rp.Clip.model_validate({"source": source, "start": start, "end": end, "stages": stages})
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=None, preset="veryfast"))
    result = run_job(rp.RenderJob(reel=reel, output=str(output), smart_copy=smart_copy), JobContext())
    assert isinstance(result, rp.RenderResult)
    return result


def frames(path: Path) -> dict[Fraction, np.ndarray]:
    with av.open(str(path)) as container:
        return {f.pts * f.time_base: f.to_ndarray() for f in container.decode(video=0)}  # type: ignore[operator]


def sound(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio[0]) if p.size]


KINDS = {
    "b-pyramid": ("a.mp4", ()),
    "b-frames": ("b.mp4", ("-x264-params", "b-pyramid=none")),
    "no b-frames": ("c.mp4", ("-bf", "0")),
    "b-frames in matroska": ("d.mkv", ()),
    "baseline": ("e.mov", ("-profile:v", "baseline")),
    "29.97": ("f.mp4", ("-r", "30000/1001")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_untouched_frames_are_the_sources_own(make: Callable[..., Path], tmp_path: Path, kind: str) -> None:
    name, options = KINDS[kind]
    source = make(name, *options)
    result = render(source, tmp_path / "o.mp4")
    assert result.warnings == ()
    before, after = frames(source), frames(tmp_path / "o.mp4")
    zero = min(before)
    assert sorted(after) == [t - zero for t in sorted(before)]
    assert len(after) == result.frame_count
    same = [t for t in sorted(after) if np.array_equal(after[t], before[t + zero])]
    touched = [t for t in sorted(after) if t not in same]
    # only the groups of a second each that the region meets
    assert min(touched) >= 5
    assert max(touched) < 7 + Fraction(1, 10)
    assert len(same) >= len(after) - 62
    lit = after[min(t for t in touched if t >= 6)]
    assert float(lit[10:30, 10:60].mean()) < float(before[min(t for t in before if t >= 6 + zero)][10:30, 10:60].mean())


@pytest.mark.parametrize(
    ("stage", "start"),
    [
        (spotlight(1.0, 40 / 30).model_copy(update={"fade_out": 0.0}), 0),  # ends at frame 40; float(4/3) is less
        (caption(50 / 30, 51 / 30), 0),  # begins at frame 50; float(5/3) is more
        (spotlight(0, 0.5), 0.01),  # the first frame shown is one a little before
        (rp.Banner(rating=5), 0.01),
    ],
)
def test_what_is_drawn_on_is_never_copied(
    make: Callable[..., Path], tmp_path: Path, stage: rp.Stage, start: float
) -> None:
    """Times are floats to stages: what lies on a border by those is touched."""
    source = make("intra.mp4", "-g", "1", "-crf", "4")
    clip = rp.Clip.model_validate({"source": source, "start": start, "end": 3, "stages": [stage]})
    reel = rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=30, crf=12, preset="veryfast"))
    shown = []
    for name, smart_copy in (("smart.mp4", True), ("full.mp4", False)):
        run_job(rp.RenderJob(reel=reel, output=str(tmp_path / name), smart_copy=smart_copy), JobContext())
        shown.append(frames(tmp_path / name))
    smart, full = shown
    assert sorted(smart) == sorted(full)
    assert not [t for t in smart if (np.abs(smart[t].astype(int) - full[t]) > 48).sum() > 20]


def test_the_joined_stream_is_what_a_full_encode_is(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    render(source, tmp_path / "smart.mp4")
    render(source, tmp_path / "full.mp4", smart_copy=False)
    smart, full = frames(tmp_path / "smart.mp4"), frames(tmp_path / "full.mp4")
    assert sorted(smart) == sorted(full)
    for time, picture in smart.items():
        assert float(np.abs(picture.astype(int) - full[time]).mean()) < 2
    for path in ("smart.mp4", "full.mp4"):
        with av.open(str(tmp_path / path)) as container:
            dts = [p.dts for p in container.demux(container.streams.video[0]) if p.size]
        assert dts == sorted(set(dts))  # type: ignore[type-var]


def test_the_sound_of_a_whole_source_is_copied(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    render(source, tmp_path / "o.mp4")
    assert sound(source) == sound(tmp_path / "o.mp4")
    with av.open(str(source)) as a, av.open(str(tmp_path / "o.mp4")) as b:
        assert a.streams.audio[0].start_time == b.streams.audio[0].start_time
        assert a.streams.audio[0].duration == b.streams.audio[0].duration


def test_playing_from_any_point_works(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    render(source, tmp_path / "o.mp4")
    whole = frames(tmp_path / "o.mp4")
    for seconds in np.arange(0.1, SECONDS, 0.37):
        with av.open(str(tmp_path / "o.mp4")) as container:
            stream = container.streams.video[0]
            container.seek(int(seconds / stream.time_base), stream=stream)  # type: ignore[operator]
            for _, frame in zip(range(35), container.decode(stream), strict=False):
                assert np.array_equal(frame.to_ndarray(), whole[frame.pts * frame.time_base])  # type: ignore[operator]


@pytest.mark.parametrize(("start", "end"), [(1.5, 10.5), (0.0, 3.3), (5.5, 6.0), (4.0, 9.0)])
def test_a_trim_is_exact_and_its_middle_copied(
    make: Callable[..., Path], tmp_path: Path, start: float, end: float
) -> None:
    source = make("a.mp4")
    result = render(source, tmp_path / "o.mp4", start=start, end=end, stages=[])
    before, after = frames(source), frames(tmp_path / "o.mp4")
    assert sorted(after) == [Fraction(n, 30) for n in range(round((end - start) * 30))]
    assert result.frame_count == len(after)
    offset = Fraction(round(start * 30), 30)
    same = sum(np.array_equal(after[t], before[t + offset]) for t in after)
    whole_groups = int(end) - int(np.ceil(start))
    assert same >= 30 * max(0, whole_groups)


def test_a_variable_rate_source_keeps_its_times(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("vfr.mp4", "-fps_mode", "vfr", filters="select='not(eq(mod(n,7),3))+not(mod(n,2))'")
    result = render(source, tmp_path / "o.mp4")
    assert result.warnings == ()
    assert sorted(frames(source)) == sorted(frames(tmp_path / "o.mp4"))


def test_nothing_drawn_at_all_copies_everything(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    render(source, tmp_path / "o.mp4", stages=[rp.Overlay()])
    before, after = frames(source), frames(tmp_path / "o.mp4")
    assert all(np.array_equal(after[t], before[t]) for t in before)


def test_an_open_group_is_not_cut_into(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("open.mp4", "-x264-params", "open-gop=1:bframes=3")
    result = render(source, tmp_path / "o.mp4")
    assert "smart copy is not possible" in result.notes[0]
    assert "closed group" in result.notes[0]
    assert result.warnings == (), "nobody asked for a copy"
    assert sorted(frames(source)) == sorted(frames(tmp_path / "o.mp4"))


@pytest.mark.parametrize(
    ("name", "options", "reason"),
    [
        ("hevc.mp4", ("-c:v", "libx265", "-x265-params", "log-level=error"), "hevc"),
        ("sd.mp4", ("-colorspace", "smpte170m"), "smpte170m"),
        ("stream.ts", (), "avcC"),
    ],
)
def test_what_cannot_be_joined_is_encoded_and_said(
    make: Callable[..., Path], tmp_path: Path, name: str, options: tuple[str, ...], reason: str
) -> None:
    source = make(name, *options)
    result = render(source, tmp_path / "o.mp4")
    assert reason in result.notes[0]
    assert len(frames(tmp_path / "o.mp4")) == len(frames(source))


def test_a_lower_rate_is_no_case_for_copying_and_no_fault_of_the_source(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "in.mp4", frame_count=60, fps=60)
    banner = rp.Banner(rating=4, name="x", end_time=0.2)
    for fps in (30, 20, 15):
        output = rp.Output(width=None, height=None, fps=fps)
        plan = rp.plan(rp.Reel(clips=[rp.Clip(source=made.path, stages=[banner])], output=output))
        assert plan.warnings == ()
        assert plan.copying is None


def test_a_crop_is_no_case_for_copying(make: Callable[..., Path], tmp_path: Path) -> None:
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=0, y=0, width=160, height=90)])
    assert render(make("a.mp4"), tmp_path / "o.mp4", stages=[crop], end=1).warnings == ()


def test_a_killed_job_resumes_with_its_encoded_segment(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    reel = rp.Reel(clips=[rp.Clip(source=source, stages=[spotlight(5, 6)])],
                   output=rp.Output(width=None, height=None, fps=None))  # fmt: skip
    job = rp.RenderJob(reel=reel, output=str(tmp_path / "o.mp4"))
    run_job(job, JobContext(folder=tmp_path / "job"))
    made = list((tmp_path / "job" / "segments").glob("*.mp4"))
    assert len(made) == 1
    stamp = made[0].stat().st_mtime_ns
    run_job(job, JobContext(folder=tmp_path / "job"))
    assert made[0].stat().st_mtime_ns == stamp


def test_chunks_count_what_is_copied_once(make: Callable[..., Path], tmp_path: Path) -> None:
    stages = [spotlight(2.2, 2.7), spotlight(6.2, 6.7)]
    reel = rp.Reel(clips=[rp.Clip(source=make("a.mp4"), stages=stages)],
                   output=rp.Output(width=None, height=None, fps=None, preset="veryfast"))  # fmt: skip
    with LocalExecutor(folder=tmp_path / "jobs") as ex:
        handle = ex.submit(rp.RenderJob(reel=reel, output=str(tmp_path / "o.mp4"), chunks=2))
        rendered = [event for event in handle.events() if event.phase == "render"]
        result = handle.result(60)
    assert result.frame_count == SECONDS * 30
    assert rendered[0].done == (SECONDS - 2) * 30
    assert [event.done for event in rendered] == sorted(event.done for event in rendered)
    assert {event.total for event in rendered} == {SECONDS * 30}
    assert rendered[-1].done == SECONDS * 30


def test_parameter_sets_of_both_encoders_are_listed(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("a.mp4")
    render(source, tmp_path / "o.mp4")
    with av.open(str(tmp_path / "o.mp4")) as container:
        stream = container.streams.video[0]
        record = AvcConfiguration.parse(bytes(stream.codec_context.extradata or b""))
        first = next(container.demux(stream))
    assert record is not None
    assert len(record.sequence_sets) == len(record.picture_sets) == 2
    assert {0, 1} == record.set_ids
    assert NAL_IDR in (nal_types(memoryview(first), record.length_bytes) or ())


@pytest.mark.parametrize("record", [b"", b"\1", b"\0\0\0\1\x67\x64", b"\1\x64\0\x1f\xff\xe1\0\xff\x67"])
def test_what_is_no_avcc_record_is_none(record: bytes) -> None:
    assert AvcConfiguration.parse(record) is None


def resized(folder: Path, *, kind: str) -> tuple[Path, tuple[int, ...]]:
    """Four seconds, the last two twice as large, and the numbers that its frames show."""
    small = numbered_video(folder / "small.mp4", frame_count=60, width=160, height=96, gop_size=30)
    large = numbered_video(folder / "large.mp4", frame_count=60, width=320, height=192, gop_size=30)
    path = folder / "resized.mp4"
    if kind == "in band":  # as a download of HLS whose quality went over to another
        for made in (small, large):
            run_ffmpeg("-i", str(made.path), "-c", "copy", str(made.path.with_suffix(".ts")))
        script = folder / "list.txt"
        script.write_text("file small.ts\nfile large.ts\n")
        run_ffmpeg("-f", "concat", "-i", str(script), "-c", "copy", str(path))
    else:
        joined(small.path, large.path, path)
    return path, small.numbers + large.numbers


@pytest.mark.parametrize("drawn", [False, True])
@pytest.mark.parametrize("kind", ["in band", "two sample descriptions"])
def test_pictures_of_another_size_are_not_copied(tmp_path: Path, kind: str, *, drawn: bool) -> None:
    source, numbers = resized(tmp_path, kind=kind)
    if drawn:
        result = render(source, tmp_path / "o.mp4", stages=[spotlight(0.2, 0.4)])
        first, end = 0, 120
    else:
        job = rp.ExtractJob(source=source, output=tmp_path / "o.mp4", start=0.5, end=3.5)
        result, first, end = run_job(job, JobContext()), 15, 105
    assert isinstance(result, rp.RenderResult)
    assert (result.width, result.height, result.frame_count) == (160, 96, end - first)
    with av.open(str(tmp_path / "o.mp4")) as container:
        shown = list(container.decode(video=0))
    assert {(frame.width, frame.height) for frame in shown} == {(160, 96)}
    assert [read_number(f.to_ndarray(format="yuv420p")[:96]) for f in shown] == list(numbers[first:end])


def test_parameter_sets_that_are_only_said_again_are_copied(make: Callable[..., Path], tmp_path: Path) -> None:
    source = make("again.mkv", "-x264-params", "repeat-headers=1")
    assert [segment.copied for segment in planned(source, spotlight(5.2, 6.9)).segments] == [True, False, True]
    render(source, tmp_path / "o.mp4")
    assert len(frames(tmp_path / "o.mp4")) == len(frames(source)) == SECONDS * 30


def planned(source: Path, stage: rp.Stage) -> Plan:
    clip = rp.Clip(source=source, stages=[stage])
    return plan_with_copies(rp.Reel(clips=[clip], output=rp.Output(width=None, height=None, fps=None)), smart_copy=True)


def test_what_was_copied_before_the_size_changes_still_is(tmp_path: Path) -> None:
    source, _ = resized(tmp_path, kind="in band")
    segments = planned(source, spotlight(0.2, 0.4)).segments
    assert [(s.first, s.end, s.copied) for s in segments] == [(0, 30, False), (30, 60, True), (60, 120, False)]


@pytest.mark.footage
def test_the_case_is_of_one_size(assets: Path, tmp_path: Path) -> None:
    source = assets / "cases" / "h264_size_changes_inband.mp4"
    run_job(rp.ExtractJob(source=source, output=tmp_path / "o.mp4", start=0.5, end=3.5))
    with av.open(str(tmp_path / "o.mp4")) as container:
        assert [(f.width, f.height) for f in container.decode(video=0)] == [(320, 180)] * 90
