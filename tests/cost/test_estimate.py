"""Estimates: what is counted, what it comes to, and which way of doing a job is recommended."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video, tone
from reelproc.cost import estimate as estimating
from reelproc.cost.calibration import Calibration
from reelproc.cost.decision import choose
from reelproc.cost.estimate import estimate_work
from reelproc.cost.hardware_specs import place
from reelproc.cost.job_work import work_of
from reelproc.cost.measured_rates import this_host
from reelproc.cost.options import CONTAINER_IDLE_SECONDS, Option, Pricing, option
from reelproc.cost.pipeline import loop
from reelproc.cost.rates import Rates
from reelproc.cost.work import Work
from reelproc.prices import PRICES
from reelproc_lab import typical_jobs as typical
from reelproc_lab.closing_tables import closing_tables

NOTHING = Calibration()


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds with sound, a key frame every 12 frames."""
    path = tmp_path_factory.mktemp("estimate") / "four.mp4"
    numbered_video(path, frame_count=120, width=320, height=180, sound=tone(4.0))
    return path


def reel(video: Path, *stages: object, **output: object) -> rp.Reel:
    return rp.Reel.model_validate(
        {"clips": [{"source": video, "start": 1, "end": 3, "stages": stages}], "output": output}
    )


def amounts(job: rp.Reel | rp.RenderJob | rp.ExtractJob | rp.DetectJob) -> dict[str, float]:
    work = work_of(job)
    return dict(work.whole.amounts) | work.before | work.beside | work.after


def test_frames_pixels_and_sound_are_counted_as_planned(video: Path) -> None:
    counted = amounts(reel(video, width=640, height=360))
    assert counted["encode.libx264.fast"] == pytest.approx(60 * 640 * 360 / 1e6)
    assert counted["decode.h264"] == pytest.approx((60 + 30) * 320 * 180 / 1e6)  # a second before the clip's start
    assert counted["pipe"] == pytest.approx(60 * 320 * 180 / 1e6)
    assert counted["audio"] == 2.0
    assert "audio" not in amounts(reel(video, width=640, height=360, audio=False))


def test_silence_is_cheaper_than_sound(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "silent.mp4", frame_count=120)
    work = work_of(reel(made.path, width=640, height=360))
    assert work.beside == {"audio.silent": 2.0}
    rates = Rates(place("local"), Calibration().with_samples("local", this_host(), {"audio": [0.02]}))
    assert rates("audio.silent").value == pytest.approx(0.18 * 0.02)
    assert rates("audio.silent").basis == "predicted"


def test_what_a_crop_leaves_out_does_not_cross_the_pipe(video: Path) -> None:
    crop = {"stage": "crop", "keyframes": [{"time": 0, "x": 10, "y": 10, "width": 90, "height": 160}]}
    counted = amounts(reel(video, crop, width=90, height=160))
    assert counted["pipe"] < 0.5 * 60 * 320 * 180 / 1e6


def test_slow_motion_works_on_each_source_frame_once(video: Path) -> None:
    slow = {"stage": "speed", "segments": [{"start": 0, "end": 2, "speed": 0.5}]}
    rotate = {"stage": "rotate", "degrees": 2}
    counted = amounts(reel(video, rotate, slow, width=320, height=180))
    assert counted["stage.rotate"] == pytest.approx(60 * 320 * 180 / 1e6, rel=0.02)
    assert counted["repeat.libx264.fast"] == pytest.approx(60 * 320 * 180 / 1e6, rel=0.02)
    assert counted["audio.stretched"] == 4.0


def test_an_overlay_counts_where_it_is_shown(video: Path) -> None:
    key = {"time": 0, "x": 100, "y": 90, "radius_x": 20, "radius_y": 30}
    region = {"start_time": 0.5, "end_time": 1.0, "keyframes": [key]}
    dim = amounts(reel(video, {"stage": "overlay", "regions": [region]}, width=640, height=360))
    assert dim["stage.dim"] == pytest.approx(16 * 320 * 180 / 1e6)  # a closed span of half a second
    assert "stage.ring" not in dim
    ring = amounts(reel(video, {"stage": "overlay", "regions": [region], "stroke_width": 3}, width=640, height=360))
    assert ring["stage.ring"] == pytest.approx(16 * 4 * 20 * 30 / 1e6)


def test_a_network_counts_its_operations_once_for_each_source_frame(video: Path) -> None:
    slow = {"stage": "speed", "segments": [{"start": 0, "end": 2, "speed": 0.5}]}
    model = rp.Upscale(model="realesr-general-x4v3")
    work = work_of(reel(video, slow, model.model_dump(), width=640, height=360))
    per_frame = 320 * 180 * 2.0 * (3 * 64 * 9 + 32 * 64 * 64 * 9 + 64 * 48 * 9) / 1e12
    assert work.whole.amounts["network.default"] == pytest.approx(60 * per_frame, rel=0.02)
    assert work.networks == ("realesr-general-x4v3",)
    assert work.upscaled_frames == 60


def test_without_a_library_for_networks_the_estimate_says_so(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = rp.Upscale(model="realesr-general-x4v3").model_dump()
    monkeypatch.setattr(estimating, "find_spec", lambda _: None)
    made = rp.estimate(reel(video, network), "local", chunks=(1,), calibration=NOTHING)
    assert any("reelproc[ai]" in said for said in made.warnings)
    assert rp.estimate(reel(video, network), "modal-t4", chunks=(1,), calibration=NOTHING).warnings == ()
    monkeypatch.setattr(estimating, "find_spec", lambda _: object())
    assert rp.estimate(reel(video, network), "local", chunks=(1,), calibration=NOTHING).warnings == ()


def test_dissolves_are_counted(video: Path) -> None:
    clips = [rp.Clip(source=video, start=0, end=2), rp.Clip(source=video, start=2, end=4)]
    made = rp.Reel(
        clips=clips, concat=rp.Concat(transition="dissolve", duration=0.5), output=rp.Output(width=320, height=180)
    )
    assert amounts(made)["stage.mix"] == pytest.approx(15 * 320 * 180 / 1e6)


def test_smart_copy_is_seen(video: Path) -> None:
    key = {"time": 0, "x": 100, "y": 90, "radius_x": 20, "radius_y": 30}
    overlay = {"stage": "overlay", "regions": [{"start_time": 0, "end_time": 0.3, "keyframes": [key]}]}
    drawn = rp.Reel.model_validate(
        {"clips": [{"source": video, "stages": [overlay]}], "output": {"width": 320, "height": 180}}
    )
    copied = work_of(drawn)
    encoded = work_of(rp.RenderJob(reel=drawn, output="a.mp4", smart_copy=False))
    assert copied.copied_frames == 120 - 12
    assert encoded.copied_frames == 0
    assert copied.after["copy"] > 0
    assert "audio" not in copied.after  # it is copied as well


def test_an_extraction_without_encoding_only_moves_bytes(video: Path) -> None:
    work = work_of(rp.ExtractJob(source=video, output="a.mp4", start=1, end=3, copy_codec=True))
    assert work.segments == ()
    assert work.after == {"copy": pytest.approx(video.stat().st_size / 1e6 / 2)}
    made = rp.estimate(
        rp.ExtractJob(source=video, output="a.mp4", start=1, end=3, copy_codec=True), calibration=NOTHING
    )
    assert made.option("local").wall_seconds < 1


def test_a_detection_counts_its_frames_and_its_model(video: Path) -> None:
    job = rp.DetectJob(source=video, times=[0.5, 1.0, 3.0], model="yolov8s")
    assert amounts(job)["detect.default"] == pytest.approx(3 * 28.6 / 1000)
    unknown = rp.estimate(rp.DetectJob(source=video, times=[1.0], model="mine.pt"), calibration=NOTHING)
    assert any("detector mine" in said and "lower bound" in said for said in unknown.warnings)


def test_a_network_of_ones_own_that_cannot_be_looked_at_makes_a_lower_bound(video: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(b"not a network")
    made = rp.estimate(reel(video, {"stage": "upscale", "model": str(file)}), "modal-t4", calibration=NOTHING)
    assert any("lower bound" in said for said in made.warnings)


def test_segments_that_follow_one_another_share_their_sources() -> None:
    work = typical.reel_of(8)
    assert work.part([0, 1]).amounts["open"] < work.part([0]).amounts["open"] + work.part([1]).amounts["open"]
    assert work.whole.frames == work.frames


def test_the_loop_is_as_slow_as_its_slowest_part() -> None:
    rates = {"pace": [1.0], "open": [0.0], "segment": [0.0]}
    work = Work.model_validate(
        {
            "job": "render",
            "frames": 10,
            "segments": [{"number": 0, "frames": 10, "clips": [0], "amounts": {"pipe": 1, "stage.dim": 1}}],
        }
    )

    def wall(pipe: float, dim: float) -> float:
        known = NOTHING.with_samples("local", this_host(), rates | {"pipe": [pipe], "stage.dim": [dim]})
        return loop(work.whole, Rates(place("local"), known)).wall

    threads = place("local").threads
    assert wall(4.0, 0.0) == pytest.approx(4.0 / threads)
    assert wall(0.0, 4.0) == pytest.approx(4.0)  # the stages have one thread
    assert wall(100.0, 4.0) == pytest.approx(104.0 / threads)


def test_cost_is_seconds_times_rate() -> None:
    made = estimate_work(typical.framed(6), ["modal-t4"], chunks=[1], calibration=NOTHING, pricing=Pricing(PRICES))
    warm = made.option("modal-t4")
    rate = PRICES.usd_per_second(gpu="T4", cores=4, memory_bytes=16 << 30)
    assert warm.usd == pytest.approx(warm.wall_seconds * rate)
    assert warm.billed_seconds == warm.gpu_seconds == warm.wall_seconds
    cold = made.option("modal-t4", start="cold")
    assert cold.idle_usd == pytest.approx(CONTAINER_IDLE_SECONDS * rate)
    assert cold.wall_seconds - warm.wall_seconds == pytest.approx(
        sum(cold.phases[name] for name in ("startup", "load"))
    )


def test_chunks_pay_for_their_containers_and_for_the_one_that_joins_them() -> None:
    work = typical.reel_of(8)
    made = estimate_work(work, ["modal-t4"], chunks=[1, 4], calibration=NOTHING, pricing=Pricing(PRICES))
    alone, divided = made.option("modal-t4"), made.option("modal-t4", chunks=4)
    assert divided.wall_seconds < alone.wall_seconds / 2
    assert divided.gpu_seconds > alone.gpu_seconds * 0.9
    assert divided.billed_seconds > divided.gpu_seconds


def test_more_chunks_than_segments_are_left_out_and_said() -> None:
    made = estimate_work(
        typical.framed(6), ["modal-t4"], chunks=[1, 2, 4], calibration=NOTHING, pricing=Pricing(PRICES)
    )
    assert {each.chunks for each in made.options} == {1}
    assert any("one segment to encode" in said for said in made.warnings)


def test_an_uncalibrated_machine_is_never_called_measured() -> None:
    made = estimate_work(
        typical.framed(6),
        ["local", "modal-cpu", "modal-t4", "modal-l4"],
        chunks=[1],
        calibration=NOTHING,
        pricing=Pricing(PRICES),
    )
    assert {each.basis for each in made.options} == {"predicted"}
    assert all(each.why for each in made.options)
    assert all(each.wall_low <= each.wall_seconds <= each.wall_high for each in made.options)


def test_the_use_of_more_processors_than_were_asked_for_is_billed() -> None:
    pricing = Pricing(PRICES)
    where = place("modal-cpu")
    assert pricing.rate(where, 4.0) == pricing.rate(where)
    assert pricing.rate(where, 16.0) == pytest.approx(pricing.rate(where) + 4 * 0.0000131)


def _offer(name: str, usd: float, seconds: float) -> Option:
    return Option(
        executor=name, chunks=1, start="cold", wall_seconds=seconds, wall_low=seconds, wall_high=seconds,
        billed_seconds=seconds, gpu_seconds=0, usd=usd, usd_low=usd, usd_high=usd, idle_usd=0, basis="predicted",
        why="",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("offers", "chosen"),
    [
        ([("cpu", 1.0, 100), ("t4", 1.19, 20)], "t4"),  # within 20 %: the faster
        ([("cpu", 1.0, 100), ("t4", 1.21, 20)], "cpu"),
        ([("cpu", 1.0, 100), ("t4", 1.1, 50), ("l4", 1.2, 40)], "l4"),
        ([("cpu", 1.0, 10), ("t4", 1.1, 10)], "cpu"),  # as fast: the cheaper
        ([("local", 0.0, 900), ("t4", 0.01, 20)], "local"),
    ],
)
def test_the_rule(offers: list[tuple[str, float, float]], chosen: str) -> None:
    assert choose([_offer(*offer) for offer in offers]).executor == chosen


def test_ones_own_machine_can_be_given_a_price(video: Path) -> None:
    dear = PRICES.with_rates({"own_machine": 1.0}, source="electricity", read="2026")
    made = rp.estimate(reel(video), calibration=NOTHING, prices=dear)
    assert made.recommended.executor != "local"
    assert made.recommended == made.recommended_rented
    assert made.option("local").usd == pytest.approx(made.option("local").wall_seconds)


def test_an_estimate_is_json_both_ways(video: Path) -> None:
    made = rp.estimate(reel(video), ["local", "modal-t4"], calibration=NOTHING)
    assert rp.Estimate.model_validate_json(made.model_dump_json()) == made


def test_impossible_questions_are_refused(video: Path) -> None:
    with pytest.raises(rp.SpecError, match="chunks from 1 up"):
        rp.estimate(reel(video), chunks=[0], calibration=NOTHING)
    with pytest.raises(rp.SpecError, match="nothing is known of hardware 'cray'"):
        rp.estimate(reel(video), "cray", calibration=NOTHING)
    with pytest.raises(rp.SpecError, match="there is no estimate for modal-t4 in 1 chunks"):
        rp.estimate(reel(video), "local", calibration=NOTHING).option("modal-t4")


def test_an_estimate_of_what_cannot_be_rendered_is_the_renders_error(video: Path) -> None:
    late = rp.Reel(clips=[rp.Clip(source=video, start=100, end=101)])
    with pytest.raises(rp.SpecError, match="starts at 100 s"):
        rp.estimate(late, calibration=NOTHING)


def test_the_closing_tables_have_the_originals_figures_beside_ours() -> None:
    tables = closing_tables(calibration=NOTHING)
    frames = {row.job: row for row in tables.frames}
    assert frames["framing with a network"].original_usd == pytest.approx(0.000131, abs=5e-7)
    assert frames["overlay"].original_usd == pytest.approx(0.0000029, abs=5e-8)
    flows = [row.original_usd for row in tables.workflows]
    assert flows == [pytest.approx(0.060, abs=5e-4), pytest.approx(0.483, abs=5e-4), pytest.approx(60.4, abs=0.05)]
    placed = {row.job: row.executor for row in tables.placements}
    assert placed["overlay"] == "modal-cpu"  # drawing an ellipse needs no GPU
    assert placed["framing with a network"] in ("modal-t4", "modal-l4")
    assert {row.basis for row in tables.placements} == {"predicted"}
    text = tables.markdown()
    assert "| one 15 s clip |" in text
    assert all(line.startswith("|") for line in text.splitlines()[2:] if line)


def test_typical_jobs_are_planned_like_real_ones() -> None:
    assert typical.framed(6).frames == 180
    assert typical.overlaid(90).copied_frames == 0
    assert typical.overlaid(3).copied_frames > 2000
    assert typical.reel_of(8).frames == 8 * 450 - 7 * 15
    assert (
        option(typical.extraction(), Rates(place("local"), NOTHING), Pricing(PRICES), chunks=1, start="warm").usd == 0
    )
    assert Fraction(typical.RATE) == 30
