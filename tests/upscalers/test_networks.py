"""Networks without a network's library: choice, tiles, options, deduplication, and the loop that runs ahead."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import reelproc as rp
from media_factory import numbered_video, planes_of
from reelproc.errors import BackendError, SpecError
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.pixels.frame import Frame, Window
from reelproc.pixels.placement import Rectangle
from reelproc.pixels.view import View
from reelproc.render.plan import Segment
from reelproc.render.range_renderer import RangeRenderer
from reelproc.results import PhaseClock
from reelproc.stages.base import StreamInfo, Target
from reelproc.stages.upscale import Upscale
from reelproc.storage.sources import Sources
from reelproc.testing.pictures import flat, noise
from reelproc.upscalers import UPSCALERS, find
from reelproc.upscalers.base import Sample, UpscaleOptions, Upscaler, UpscaleSpec, UpscaleWork
from reelproc.upscalers.choice import choose
from reelproc.upscalers.dedupe import Deduplicated
from reelproc.upscalers.models import MODELS, Model
from reelproc.upscalers.network_work import Cut, Enlarged, Network, NetworkWork, cut_out, placed
from reelproc.upscalers.resamplers import LANCZOS
from reelproc.upscalers.tiling import MIN_TILE, smaller_tile, tiles

HD = StreamInfo(1920, 1080, Fraction(10))


@given(
    width=st.integers(1, 400),
    height=st.integers(1, 400),
    tile=st.integers(MIN_TILE, 300),
    overlap=st.integers(0, 40),
)
def test_tiles_cover_every_pixel_once_with_their_overlap_around_them(
    width: int, height: int, tile: int, overlap: int
) -> None:
    covered = np.zeros((height, width), int)
    for t in tiles(width, height, tile, overlap):
        covered[t.y : t.y + t.height, t.x : t.x + t.width] += 1
        assert t.read_x == max(0, t.x - overlap)
        assert t.read_x + t.read_width == min(width, t.x + t.width + overlap)
        assert t.read_y + t.read_height == min(height, t.y + t.height + overlap)
        assert max(t.width, t.height) <= tile + 2
    assert (covered == 1).all()


@given(side=st.integers(1, 5000), other=st.integers(1, 5000))
def test_halving_ends_at_the_least_tile(side: int, other: int) -> None:
    tile, steps = smaller_tile(side, other, None), 0
    while tile is not None:
        assert tile >= MIN_TILE
        tile, steps = smaller_tile(side, other, tile), steps + 1
    assert steps <= 8


@pytest.mark.parametrize(
    ("scale", "model", "words"),
    [
        (0.5, "lanczos", "nothing for a network to enlarge"),
        (1.5, "realesr-general-x4v3", "grows by 1.50, which its x4 meets at the least cost, 1.25 TFLOP a frame"),
        (6.0, "realesr-general-x4v3", "its x4 comes nearest, lanczos does the rest"),
    ],
)
def test_the_choice_meets_the_scale_at_the_least_cost(scale: float, model: str, words: str) -> None:
    choice = choose(scale, 540 * 960)
    assert choice.model == model
    assert words in choice.reason


def test_a_cheaper_network_of_a_smaller_scale_is_taken_where_it_does() -> None:
    small = Model("small-x2", "", "s.pth", 2, 600_000.0, footage=True)
    drawn = Model("drawn-x2", "", "d.pth", 2, 1.0)
    models = [*MODELS.values(), small, drawn]
    assert choose(1.5, 1e6, models).model == "small-x2"
    assert choose(2.5, 1e6, models).model == "realesr-general-x4v3"
    assert choose(9.0, 1e6, [small, *MODELS.values()]).model == "realesr-general-x4v3"


def test_the_figures_are_those_that_are_published() -> None:
    """TFLOP of a 540x960 frame."""
    costs = {name: round(540 * 960 * (model.flop_per_pixel or 0) / 1e12, 2) for name, model in MODELS.items()}
    assert costs == {
        "realesr-general-x4v3": 1.25,
        "realesr-animevideov3": 0.64,
        "RealESRGAN_x4plus": 18.59,
        "RealESRGAN_x2plus": 4.65,
    }


def test_the_plan_decides_and_says_why(tmp_path: Path) -> None:
    video = numbered_video(tmp_path / "game.mp4", frame_count=10, fps=30)
    stages = [rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=0, y=0, width=40, height=40)]), rp.Upscale(model="auto")]
    plan = rp.plan(
        rp.Reel(clips=[rp.Clip(source=video.path, stages=stages)], output=rp.Output(width=80, height=80, audio=False))
    )
    chosen = plan.clips[0].stages[1]
    assert isinstance(chosen, Upscale)
    assert chosen.model == "realesr-general-x4v3"
    assert plan.notes[0].startswith("clip 0, stage 1: model 'auto' is realesr-general-x4v3: the picture grows by 2.00")


def test_options_that_the_chosen_model_lacks_are_dropped_with_it() -> None:
    auto = Upscale(model="auto", denoise_strength=0.5, precision="fp32", width=192, height=108)
    stage, _ = auto.decided(HD, Target())
    assert isinstance(stage, Upscale)
    assert (stage.model, stage.denoise_strength, stage.precision) == ("lanczos", None, None)


@pytest.mark.parametrize(
    ("stage", "message"),
    [
        (Upscale(model="lanczos", backend="torch"), "'lanczos' is not a network and has no backend"),
        (Upscale(model="lanczos", denoise_strength=0.5), "no denoise_strength"),
        (
            Upscale(backend="tensorflow"),
            "no network backend is called 'tensorflow'; there are: onnx",
        ),
        (Upscale(model="RealESRGAN_x4plus", denoise_strength=1), "realesr-general-x4v3 has"),
        (Upscale(model="real-esrgan"), "no upscaler is called 'real-esrgan'"),
    ],
)
def test_senseless_options_are_refused_before_anything_runs(stage: Upscale, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        stage.resolve(HD, Target(810, 1440))


def test_naming_a_network_loads_none() -> None:
    assert find("realesr-general-x4v3", UpscaleOptions(denoise_strength=0.5)).scale == 4
    assert find("my own.safetensors").scale is None
    assert Upscale().fingerprint()


class Repeat(Network):
    """Repeats pixels, and remembers what it saw; ``gate`` holds it up."""

    scale = 2
    flop_per_pixel = 1.0
    batch_size = 2

    def __init__(self) -> None:
        self.seen: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.thread: str | None = None

    def start(self, cuts: Sequence[Cut], spec: UpscaleSpec):  # type: ignore[no-untyped-def]
        assert self.gate.wait(30)
        self.thread = threading.current_thread().name
        self.seen.append([cut.frame.pts for cut in cuts])
        frames = []
        for cut in cuts:
            (made,) = LANCZOS.open(spec)([Sample(cut.frame, cut.window)])
            frames.append(placed(cut, made.planes, spec))
        return lambda: Enlarged(frames, 0.001)


class Fake(Upscaler):
    """A network that any test can use."""

    name, description, scale = "fake", "for tests", 2

    def __init__(self) -> None:
        self.network = Repeat()

    def flop(self, spec: UpscaleSpec) -> float:
        return 1.0

    def open(self, spec: UpscaleSpec) -> UpscaleWork:
        return NetworkWork(spec, self.network)


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Fake:
    made = Fake()
    monkeypatch.setattr(sys.modules[__name__], "FAKE", made, raising=False)
    monkeypatch.setattr(UPSCALERS, "_entries", dict(UPSCALERS._entries))
    UPSCALERS.register("fake", f"{__name__}:FAKE")
    return made


def render(tmp_path: Path, model: str, *, fps: int = 30, dedupe: int | None = None) -> tuple[rp.RenderResult, Path]:
    source = tmp_path / "game.mp4"
    if not source.exists():
        numbered_video(source, frame_count=15, fps=15)
    stages = [rp.Speed(segments=[rp.SpeedSegment(start=0, end=0.4, speed=0.5)]), rp.Upscale(model=model, dedupe=dedupe)]
    reel = rp.Reel(
        clips=[rp.Clip(source=source, stages=stages)],
        output=rp.Output(width=320, height=240, fps=fps, audio=False, crf=0, fit="stretch"),
    )
    out = tmp_path / f"{model}.mp4"
    result = run_job(rp.RenderJob(reel=reel, output=out), JobContext())
    assert isinstance(result, rp.RenderResult)
    return result, out


def test_running_ahead_changes_no_frame_and_sees_each_source_frame_once(tmp_path: Path, fake: Fake) -> None:
    one, ahead = render(tmp_path, "fake")
    two, plain = render(tmp_path, "lanczos")
    assert one.frame_count == two.frame_count == 42
    seen = [pts for batch in fake.network.seen for pts in batch]
    assert len(seen) == len(set(seen)) == 15
    assert seen == sorted(seen)
    assert {len(batch) for batch in fake.network.seen} == {1, 2}
    assert fake.network.thread is not None
    assert fake.network.thread.startswith("network")
    assert one.phases["network"] == pytest.approx(0.001 * len(fake.network.seen), abs=1e-4)
    with rp.open_video(ahead, pix_fmt="yuv420p") as a, rp.open_video(plain, pix_fmt="yuv420p") as b:
        for x, y in zip(a, b, strict=True):
            assert np.array_equal(x.data, y.data)


def test_what_fails_beside_the_loop_fails_the_render_and_leaves_nothing(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(cuts: Sequence[Cut], spec: UpscaleSpec) -> None:
        raise BackendError("the device is gone")

    monkeypatch.setattr(fake.network, "start", fail)
    with pytest.raises(BackendError, match="the device is gone"):
        render(tmp_path, "fake")
    assert [p.name for p in tmp_path.iterdir()] == ["game.mp4"]
    assert not [t for t in threading.enumerate() if t.name.startswith("network")]


def test_two_batches_are_under_way_and_closing_drops_the_second(fake: Fake) -> None:
    fake.network.gate.clear()
    spec = UpscaleSpec(16, 16, 32, 32, Rectangle(0, 0, 32, 32), "yuv420p")
    work = fake.open(spec)
    waits = [work.submit([Sample(noise(16, 16), Window(0, 0, 16, 16))]) for _ in range(2)]
    assert fake.network.seen == []
    fake.network.gate.set()
    assert [wait()[0].width for wait in waits] == [32, 32]
    work.close()
    work.close()


def test_the_whole_pixels_around_a_window_are_cut() -> None:
    frame = noise(64, 48)
    cut = cut_out(Sample(frame, Window(10.5, 7.0, 20.0, 10.2)))
    assert cut.size == (22, 12)
    assert cut.window == Window(0.5, 1.0, 20.0, pytest.approx(10.2))
    assert np.array_equal(cut.frame.planes[0], frame.planes[0][6:18, 10:32])
    assert cut_out(Sample(frame, Window(10, 8, 20, 10))).size == (20, 10)


def test_pixels_around_a_window_are_cut_with_it_as_far_as_there_are_any() -> None:
    frame = noise(64, 48)
    cut = cut_out(Sample(frame, Window(10.5, 7.0, 20.0, 10.2)), 9)
    assert cut.size == (40, 28)
    assert cut.window == Window(10.5, 7.0, 20.0, pytest.approx(10.2))
    assert np.array_equal(cut.frame.planes[0], frame.planes[0][:28, :40])


def test_the_context_is_a_field_of_the_stage_and_of_what_is_made_with_it() -> None:
    assert Upscale().spec(HD, Target(810, 1440)).context == 24
    assert Upscale(context=0).spec(HD, Target(810, 1440)).context == 0
    assert Upscale(model="lanczos").spec(HD, Target(810, 1440)).context == 0
    with pytest.raises(SpecError, match="context"):
        Upscale(context=300)


class Counting(UpscaleWork):
    """Counts what it is asked for."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, samples: Sequence[Sample]) -> list[Frame]:
        self.count += len(samples)
        return [sample.frame.copy() for sample in samples]


def at(frame: Frame, pts: int) -> Sample:
    copy = frame.copy()
    copy.pts = pts
    return Sample(copy, Window(0, 0, 16, 16))


def test_equal_frames_are_scaled_once_and_stay_frames_of_their_own() -> None:
    inner = Counting()
    work = Deduplicated(inner, 0)
    grey = flat(16, 16, "yuv420p", (100, 128, 128))
    made = [*work([at(grey, 0), at(grey, 1)]), *work([at(grey, 2)])]
    assert inner.count == 1
    assert [frame.pts for frame in made] == [0, 1, 2]
    made[0].data[:] = 0
    assert made[1].planes[0][0, 0] == 100


def test_small_differences_do_not_add_up() -> None:
    inner = Counting()
    work = Deduplicated(inner, 2)
    for pts, level in enumerate((100, 101, 102, 103, 104, 105)):
        work([at(flat(16, 16, "yuv420p", (level, 128, 128)), pts)])
    assert inner.count == 2  # at 100, and at 103, which is 3 from it


def test_another_window_is_another_picture() -> None:
    inner = Counting()
    work = Deduplicated(inner, 0)
    grey = flat(16, 16, "yuv420p", (100, 128, 128))
    work([Sample(grey.copy(), Window(0, 0, 16, 16)), Sample(grey.copy(), Window(0.5, 0, 15, 16))])
    assert inner.count == 2


def test_a_filter_looks_around_the_window_and_so_does_the_comparison() -> None:
    grey, other = flat(64, 64, "yuv420p", (100, 128, 128)), flat(64, 64, "yuv420p", (100, 128, 128))
    other.planes[0][:, :16] = 235  # only left of the window
    window = Window(16.0, 16.0, 32.0, 32.0)
    for model in ("lanczos", "bicubic", "area"):
        stage = rp.Upscale(model=model, width=48, height=48, dedupe=0)
        work = stage.open(StreamInfo(32, 32, Fraction(1)), Target())
        made = [work.view(View(frame.copy(), window, (32, 32)), 0.0).cut() for frame in (grey, other)]
        assert not np.array_equal(made[0].data, made[1].data), model


def test_where_a_part_of_the_reel_begins_nothing_is_taken_over() -> None:
    inner = Counting()
    work = Deduplicated(inner, 2, frozenset((2, 9)))
    for pts in range(5):
        work([at(flat(16, 16, "yuv420p", (100, 128, 128)), pts)])
    assert inner.count == 2


def test_parts_with_dedupe_are_as_the_whole(tmp_path: Path) -> None:
    """The source gets lighter by one level a frame: what is kept depends on where one begins to compare."""
    source = tmp_path / "fade.mkv"
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        stream.codec_context.color_range = 1
        for n in range(40):
            picture = flat(64, 64, "yuv420p", (60 + n, 128, 128))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture.data.reshape(-1, 64), format="yuv420p")))
        container.mux(stream.encode(None))
    clip = rp.Clip(source=source, stages=[rp.Upscale(model="lanczos", width=96, height=96, dedupe=2)])
    plan = rp.plan(rp.Reel(clips=[clip], output=rp.Output(width=96, height=96, fps=30, audio=False)))
    plan = replace(plan, segments=(Segment(0, 20), Segment(20, 40)))

    def levels(first: int, end: int) -> list[int]:
        with RangeRenderer(plan, end, sources=Sources(), conceal=False, clock=PhaseClock()) as renderer:
            return [int(renderer.frame(frame).planes[0][5, 5]) for frame in plan.frames(first, end)]

    whole = levels(0, 40)
    assert len(set(whole)) < 20
    assert levels(0, 20) + levels(20, 40) == whole


def test_dedupe_is_a_field_of_the_stage(tmp_path: Path, fake: Fake) -> None:
    result, _ = render(tmp_path, "fake", dedupe=32)
    assert result.frame_count == 42
    assert sum(map(len, fake.network.seen)) <= 15


def test_single_frames_through_a_network_are_those_of_a_render(tmp_path: Path, fake: Fake) -> None:
    numbered_video(tmp_path / "game.mp4", frame_count=30)
    clip = rp.Clip(source=tmp_path / "game.mp4", stages=[rp.Upscale(model="fake")])
    output = rp.Output(width=320, height=240, audio=False, crf=0, fit="stretch")
    reel = rp.Reel(clips=[clip], output=output)
    run_job(rp.RenderJob(reel=reel, output=tmp_path / "whole.mp4"), JobContext())
    whole = planes_of(tmp_path / "whole.mp4")
    fake.network.seen.clear()
    stills = rp.preview(reel, time=[n / 30 for n in (20, 3, 9, 4)])
    assert sum(len(batch) for batch in fake.network.seen) == 4  # and nothing for the frames between
    for still in stills:
        for seen, wanted in zip(still.planes, whole[still.index], strict=True):
            assert np.array_equal(seen, wanted), still.index
