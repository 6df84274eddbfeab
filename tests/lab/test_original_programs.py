"""The original's code paths: they make what reelproc makes, and refuse what the original could not do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

import reelproc as rp
from reelproc.errors import DecodeError, JobCancelledError, SpecError
from reelproc.job_context import JobContext
from reelproc.jobs import job_from_json, run_job
from reelproc.results import PhaseClock
from reelproc_lab import dataset
from reelproc_lab.original_programs.encoding import encode_pngs
from reelproc_lab.original_programs.framing_ai import Span, crops, finish_on_host, upscale_to_pngs
from reelproc_lab.original_programs.overlay import draw
from reelproc_lab.original_programs.runner import SWITCHES, OriginalJob, run_original
from reelproc_lab.verify import least_psnr
from waiting import LONG

SIZE = {"width": 320, "height": 180}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset.match_clip(tmp_path_factory.mktemp("footage"), 2, 320, 180)


def overlay_job(source: Path, output: Path, *stages: rp.Stage) -> rp.RenderJob:
    drawn = stages or (dataset.spotlight(0.5, 1.5, **SIZE),)
    clip = rp.Clip(source=source, stages=drawn)  # type: ignore[arg-type]
    return rp.RenderJob(reel=rp.Reel(clips=[clip], output=rp.Output(width=None, height=None)), output=output)


def framing_job(source: Path, output: Path, crop: rp.Crop | None = None) -> rp.RenderJob:
    stages = [crop or dataset.crop(180), rp.Upscale(model="lanczos")]
    clip = rp.Clip(source=source, start=0.5, end=1.5, stages=stages)
    return rp.RenderJob(reel=rp.Reel(clips=[clip], output=rp.Output(width=180, height=320)), output=output)


def test_its_overlay_shows_what_ours_shows(source: Path, tmp_path: Path) -> None:
    theirs = run_original(overlay_job(source, tmp_path / "theirs.mp4"))
    ours = run_job(overlay_job(source, tmp_path / "ours.mp4"))
    assert (theirs.frame_count, theirs.fps, theirs.width) == (ours.frame_count, "30", 320)  # type: ignore[union-attr]
    assert least_psnr(theirs.output, ours.output) > 32  # type: ignore[union-attr]
    assert rp.probe(theirs.output).audio is not None
    assert {"decode", "stages", "encode", "audio", "wall"} <= set(theirs.phases)
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_its_framing_shows_what_ours_shows(source: Path, tmp_path: Path) -> None:
    theirs = run_original(framing_job(source, tmp_path / "theirs.mp4"))
    ours = run_job(framing_job(source, tmp_path / "ours.mp4"))
    info = rp.probe(theirs.output, exact=True)
    assert (theirs.frame_count, info.frame_count) == (30, 30)
    assert least_psnr(theirs.output, ours.output) > 28  # type: ignore[union-attr]  # it crops by whole pixels


def test_a_moving_crop_moves_and_holds_at_its_ends(source: Path, tmp_path: Path) -> None:
    keys = [rp.CropKeyframe(time=t, x=x, y=8, width=90, height=160) for t, x in ((0.2, 10), (0.5, 110), (0.8, 60))]
    theirs = run_original(framing_job(source, tmp_path / "theirs.mp4", rp.Crop(keyframes=keys)))
    ours = run_job(framing_job(source, tmp_path / "ours.mp4", rp.Crop(keyframes=keys)))
    assert least_psnr(theirs.output, ours.output) > 22  # type: ignore[union-attr]  # up to a pixel of ninety


def test_an_executor_runs_it_by_name(source: Path, tmp_path: Path) -> None:
    job = OriginalJob(render=overlay_job(source, tmp_path / "o.mp4"))
    with rp.executor("local", folder=tmp_path / "jobs") as ex:
        result = ex.submit(job).result(timeout=LONG)
    assert result.notes[0] == "the original's program, written anew"


@pytest.mark.parametrize("switch", sorted(SWITCHES))
def test_a_job_with_a_switch_survives_its_way_to_a_worker(switch: str, source: Path, tmp_path: Path) -> None:
    job = OriginalJob(render=overlay_job(source, tmp_path / "o.mp4"), switch=switch)
    assert job_from_json(job.model_dump_json()) == job


def test_drawing_darkens_the_outside_or_brightens_the_inside() -> None:
    frame = np.full((90, 160, 3), 200, np.uint8)
    ellipse = np.array([80.0, 45.0, 20.0, 20.0, 0.15])
    dark, bright = draw(frame, ellipse, False), draw(frame, ellipse, True)
    assert (dark[45, 80, 0], dark[0, 0, 0]) == (200, 170)
    assert (bright[45, 80, 0], bright[0, 0, 0]) == (229, 200)
    assert frame.min() == frame.max() == 200


def test_what_a_network_gives_is_clamped_turned_and_rounded() -> None:
    output = np.zeros((3, 2, 2), np.float32)
    output[0], output[1], output[2] = 1.5, -0.5, 0.5
    assert finish_on_host(output)[0, 0].tolist() == [128, 0, 255]


def test_frames_are_sought_enlarged_written_and_read_again(source: Path, tmp_path: Path) -> None:
    def enhance(images: Sequence[np.ndarray]) -> list[np.ndarray]:  # type: ignore[type-arg]
        sizes.append(len(images))
        return [np.repeat(np.repeat(image, 4, 0), 4, 1) for image in images]

    sizes: list[int] = []
    clock = PhaseClock()
    images = crops(source, Span(0.5, 5, dataset.crop(180)), JobContext(), clock)
    assert upscale_to_pngs(images, enhance, (180, 320), tmp_path, batch=2) == 5
    assert sizes == [2, 2, 1]
    encode_pngs(tmp_path, tmp_path / "a.mp4", fps=30.0, check=lambda: None)
    assert rp.probe(tmp_path / "a.mp4", exact=True).frame_count == 5
    with rp.open_video(source, start=0.5, end=0.7) as reader:
        first = next(iter(reader)).image[0:160, 66 : 66 + 90]
    seen = cv2.imread(str(tmp_path / "frame_000000.png"))
    coarse = [cv2.resize(image, (45, 80), interpolation=cv2.INTER_AREA).astype(int) for image in (seen, first)]
    assert np.abs(coarse[0] - coarse[1]).mean() < 3
    assert clock.seconds["decode"] > 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda job: job.model_copy(update={"reel": two_clips(job)}), "one clip, got 2"),
        (lambda job: overlay_job(Path(job.reel.clips[0].source), Path(job.output), rp.Text()), "got the stages: text"),
        (lambda job: rp.ExtractJob(source=job.reel.clips[0].source, output=job.output), "RenderJob"),
    ],
)
def test_what_it_could_not_do_is_refused(source: Path, tmp_path: Path, change, message: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(SpecError, match=message):
        run_original(change(overlay_job(source, tmp_path / "o.mp4")))
    assert list(tmp_path.iterdir()) == []


def two_clips(job: rp.RenderJob) -> rp.Reel:
    return job.reel.model_copy(update={"clips": job.reel.clips * 2})


def test_a_ring_and_a_window_that_grows_are_refused(source: Path, tmp_path: Path) -> None:
    ring = dataset.spotlight(0.5, 1.5, **SIZE).model_copy(update={"stroke_width": 3.0})
    with pytest.raises(SpecError, match="without ring and tint"):
        run_original(overlay_job(source, tmp_path / "o.mp4", ring))
    keys = [rp.CropKeyframe(time=t, x=0, y=0, width=w, height=160) for t, w in ((0, 90), (1, 100))]
    with pytest.raises(SpecError, match="keyframes of one size"):
        run_original(framing_job(source, tmp_path / "f.mp4", rp.Crop(keyframes=keys)))


def test_a_file_that_is_no_video_is_a_decode_error(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"nothing")
    with pytest.raises(DecodeError, match="OpenCV cannot open"):
        run_original(overlay_job(tmp_path / "no.mp4", tmp_path / "o.mp4"))


def test_it_can_be_cancelled_and_leaves_nothing(source: Path, tmp_path: Path) -> None:
    context = JobContext()
    context.cancelled.set()
    for job in (overlay_job(source, tmp_path / "o.mp4"), framing_job(source, tmp_path / "f.mp4")):
        with pytest.raises(JobCancelledError):
            run_original(job, context)
    assert list(tmp_path.iterdir()) == []


def test_its_colours_shift_in_hd_as_the_originals_did(tmp_path: Path) -> None:
    source = dataset.match_clip(tmp_path, 0.2, 1280, 720)
    nothing = dataset.spotlight(100, 101)
    theirs = run_original(overlay_job(source, tmp_path / "theirs.mp4", nothing))
    with rp.open_video(source, pix_fmt="yuv420p") as before, rp.open_video(theirs.output, pix_fmt="yuv420p") as after:
        luma = [float(next(iter(reader)).planes[0].mean()) - 16 for reader in (before, after)]
    assert 0.85 < luma[1] / luma[0] < 0.97
    assert rp.probe(theirs.output).require_video().colour.matrix == "unspecified"
