"""A kind of job out of somebody else's wheel: done here, by workers and on Modal, its result in its own type."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

import extension_wheel
import reelproc as rp
from media_factory import run_ffmpeg
from modal_service import LIVE
from reelproc.job_context import JobContext
from reelproc.jobs import Job, job_from_json
from reelproc.results import JobResult

LUMA = 100
FRAMES = 15

CHECKED = """
from example_extension.brightness import BrightnessJob, BrightnessResult
def check(result, output):
    assert type(result) is BrightnessResult, result
    assert (result.output, result.frame_count) == (output, 15), result
    assert abs(result.mean - 100) < 2, result
    assert result.phases.keys() <= {"startup", "download", "upload", "wall"}
    lines = open(output).read().splitlines()
    assert [line.partition(",")[0] for line in lines[:3]] == ["0.000", "0.033", "0.067"]
    assert len(lines) == 15
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extension_wheel.install(tmp_path_factory.mktemp("extension"))


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    grey = f"color=s=64x48:r=30:d=0.5,format=yuv420p,geq=lum={LUMA}:cb=128:cr=128"
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    run_ffmpeg("-f", "lavfi", "-i", grey, "-c:v", "libx264", *colours, str(path))
    return path


def test_workers_and_an_executor_of_the_same_wheel_do_it(site: Path, game: Path, tmp_path: Path) -> None:
    script = f"""{CHECKED}
import sys
import reelproc as rp
from reelproc.executors.local.job_folder import JobFolder
game, folder = sys.argv[1:]
for name, options in (("local", {{"folder": folder}}), ("here", {{}})):
    output = f"{{folder}}/{{name}}.csv"
    with rp.executor(name, **options) as executor:
        handle = executor.submit(BrightnessJob(source=game, output=output), id=name)
        check(handle.result(timeout=300), output)
        check(executor.attach(name).result(), output)
        assert [event.phase for event in handle.events()][-1] == "done"
        print(handle.result().hardware)
with rp.executor("local", folder=folder) as executor:
    again = executor.submit(BrightnessJob(source=game, output=f"{{folder}}/local.csv"), id="local")
    assert again.status() == "complete", "its output is as it was written: it is not done again"
    failed = executor.submit(BrightnessJob(source="/nowhere.mp4", output=f"{{folder}}/none.csv"))
    assert type(failed.wait(300).outcome) is rp.ObjectNotFoundError
"""
    hardware = extension_wheel.run_with(site, script, str(game), str(tmp_path / "jobs"))
    assert hardware.split() == ["local", "here"]


def test_json_goes_both_ways_and_what_is_wrong_has_its_path(site: Path) -> None:
    script = """
import reelproc as rp
from reelproc.jobs import JOBS, job_from_json
# by its name: the package is found by its entry point
job = job_from_json('{"job": "brightness", "source": "a.mp4", "output": "b.csv"}')
assert type(job).__name__ == "BrightnessJob" and job == job_from_json(job.model_dump_json())
print(job.result_type().__name__, *JOBS.names())
for text in ('{"job": "brightness", "source": 1, "output": "b"}', '{"job": "brightnes"}'):
    try:
        job_from_json(text)
    except rp.SpecError as error:
        print(error)
"""
    known, wrong, unknown = extension_wheel.run_with(site, script).splitlines()
    assert known == "BrightnessResult brightness chunk counted detect extract original render"
    assert wrong == "BrightnessJob is not valid: source: expected text (got 1)"
    assert unknown == (
        "the job is not valid: no job is called 'brightnes'; there are: brightness, chunk, counted, detect, extract, "
        "original, render; did you mean 'brightness'?"
    )


def test_where_it_is_not_installed_its_json_is_refused_with_a_hint() -> None:
    with pytest.raises(rp.SpecError, match=r"no job is called 'brightness'.*; install the package that brings it"):
        job_from_json('{"job": "brightness", "source": "a.mp4", "output": "b.csv"}')


def test_a_kind_that_no_package_names_is_refused_before_anything_runs(tmp_path: Path) -> None:
    class MineJob(Job[JobResult]):
        job: Literal["mine"] = "mine"

        def run(self, context: JobContext) -> JobResult:
            raise AssertionError

    for name, options in (("local", {"folder": tmp_path}), ("mock", {})):
        with rp.executor(name, **options) as executor:
            with pytest.raises(rp.SpecError, match="workers do not know the job 'mine'; name MineJob in"):
                executor.submit(MineJob())
    with pytest.raises(TypeError, match="has no kind"):

        class NamelessJob(Job[JobResult]):
            pass

    with pytest.raises(TypeError, match="does not name its result"):

        class ResultlessJob(Job):
            job: Literal["resultless"] = "resultless"


def test_an_estimate_counts_what_it_describes(site: Path, game: Path) -> None:
    script = """
import json, sys
import reelproc as rp
from example_extension.brightness import BrightnessJob
estimate = rp.estimate(BrightnessJob(source=sys.argv[1], output="b.csv"))
print(json.dumps([estimate.frames, sorted({option.chunks for option in estimate.options})]))
"""
    assert json.loads(extension_wheel.run_with(site, script, str(game))) == [FRAMES, [1]]


def test_its_upscaler_renders_by_its_name(site: Path, game: Path, tmp_path: Path) -> None:
    script = """
import sys
import numpy as np
import reelproc as rp
game, folder = sys.argv[1:]
frames = {}
for model in ("bicubic", "mirror"):
    stage = rp.Upscale(model=model, width=128, height=96)
    output = rp.Output(width=128, height=96, crf=0)
    reel = rp.Reel(clips=[rp.Clip(source=game, stages=[stage])], output=output)
    rp.render(reel, f"{folder}/{model}.mp4")
    with rp.open_video(f"{folder}/{model}.mp4", pix_fmt="yuv420p") as video:
        frames[model] = [frame.planes[0].copy() for frame in video]
assert len(frames["mirror"]) == 15
assert all(np.array_equal(one, two[:, ::-1]) for one, two in zip(frames["bicubic"], frames["mirror"], strict=True))
assert not np.array_equal(frames["bicubic"][0], frames["mirror"][0])
"""
    picture = tmp_path / "picture.mp4"
    run_ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x48:r=30:d=0.5,format=yuv420p", "-c:v", "libx264", str(picture))
    extension_wheel.run_with(site, script, str(picture), str(tmp_path), REELPROC_HOME=str(tmp_path / "home"))


@pytest.mark.skipif(LIVE, reason="looks inside the loopback")
def test_containers_on_modal_do_it_with_staged_paths(site: Path, game: Path, tmp_path: Path) -> None:
    script = f"""{CHECKED}
import sys
import reelproc as rp
from modal_service import deployed
game, output = sys.argv[1:]
with deployed() as service, rp.executor("modal-cpu", staging=service.address("stage")) as executor:
    handle = executor.submit(BrightnessJob(source=game, output=output))
    check(handle.result(timeout=300), output)
    check(executor.attach(handle.id).result(), output)
    print(handle.result().hardware)
"""
    made = tmp_path / "brightness.csv"
    environment = {"REELPROC_MODAL_MODULES": extension_wheel.MODULE, "REELPROC_HOME": str(tmp_path / "home")}
    assert extension_wheel.run_with(site, script, str(game), str(made), **environment).strip() == "modal-cpu"
