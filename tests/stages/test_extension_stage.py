"""A stage out of somebody else's wheel: rendered here and on Modal, the rest of the footage copied bit for bit."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

import extension_wheel
import reelproc as rp
from media_factory import run_ffmpeg
from modal_service import LIVE

SIZE = 24
START, END = 2.5, 3.5
"""Seconds of the watermark; the source has a key frame every second."""

REEL = """
import reelproc as rp
def reel(source):
    # by its name, as in JSON: the package is found by its entry point
    stage = {"stage": "watermark", "size": 24, "start_time": 2.5, "end_time": 3.5}
    output = {"width": None, "height": None, "fps": None, "crf": None}
    return rp.Reel.model_validate({"clips": [{"source": source, "stages": [stage]}], "output": output})
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extension_wheel.install(tmp_path_factory.mktemp("extension"))


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    argv = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=6,format=yuv420p", "-f", "lavfi", "-i", "sine=d=6"]
    colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"]
    x264 = ["-c:v", "libx264", "-preset", "fast", "-g", "30", "-keyint_min", "30", "-sc_threshold", "0"]
    run_ffmpeg(*argv, *x264, *colours, "-c:a", "aac", str(path))
    return path


def video_packets(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(container.streams.video[0]) if packet.size]


def check_result(made: Path, game: Path) -> None:
    """The square is where the stage says, and the source's packets are where it does not draw."""
    before, after = video_packets(game), video_packets(made)
    assert len(after) == len(before) == 180
    # seconds 0, 1, 4 and 5 begin with key frames and are not drawn on
    assert [n for n in range(180) if after[n] == before[n]] == [*range(60), *range(120, 180)]
    with rp.open_video(made, pix_fmt="yuv420p") as one, rp.open_video(game, pix_fmt="yuv420p") as two:
        for frame, source in zip(one, two, strict=True):
            corner = frame.planes[0][2 : SIZE - 2, 2 : SIZE - 2].astype(int)
            marked = np.abs(corner - 128).max() <= 6
            assert marked == (START <= frame.time <= END), frame.time
            beside = np.abs(frame.planes[0][:, SIZE + 8 :].astype(int) - source.planes[0][:, SIZE + 8 :])
            assert beside.mean() < 3


def test_it_is_rendered_by_workers_and_only_what_it_draws_on_is_encoded(site: Path, game: Path, tmp_path: Path) -> None:
    script = f"""{REEL}
import sys
game, output, folder = sys.argv[1:]
print(rp.plan(reel(game)).summary())
with rp.executor("local", folder=folder) as executor:
    executor.submit(rp.RenderJob(reel=reel(game), output=output)).result(timeout=300)
"""
    made = tmp_path / "reel.mp4"
    said = extension_wheel.run_with(site, script, str(game), str(made), str(tmp_path / "jobs"))
    assert "watermark" in said
    check_result(made, game)


def test_json_goes_both_ways_and_the_schema_has_it(site: Path) -> None:
    script = f"""{REEL}
from example_extension.watermark import Watermark
one = reel("a.mp4")
assert isinstance(one.clips[0].stages[0], Watermark)
mark = Watermark(size=24, start_time=2.5, end_time=3.5)
two = rp.Reel(clips=[rp.Clip(source="a.mp4", stages=[mark])], output=one.output)
assert one == two == rp.Reel.model_validate_json(two.model_dump_json())
print(sorted(rp.Reel.model_json_schema()["$defs"]["Watermark"]["properties"]))
try:
    stage = {{"stage": "watermark", "size": "big", "sice": 3}}
    rp.Reel.model_validate({{"clips": [{{"source": "a", "stages": [stage]}}]}})
except rp.SpecError as error:
    print(error)
try:
    rp.Clip(source="a", stages=[{{"stage": "watermrk"}}])
except rp.SpecError as error:
    print(error)
"""
    fields, wrong, unknown = extension_wheel.run_with(site, script).splitlines()
    assert fields == "['end_time', 'size', 'stage', 'start_time']"
    assert wrong == (
        "Reel is not valid: clips[0].stages[0].size: expected a whole number (got 'big'); "
        "clips[0].stages[0].sice: there is no such field (got 3); did you mean 'size'?"
    )
    assert unknown == (
        "Clip is not valid: stages[0]: no stage is called 'watermrk'; there are: banner, crop, overlay, rotate, speed, "
        "text, upscale, watermark; did you mean 'watermark'?"
    )


def test_where_it_is_not_installed_its_json_is_refused_with_a_hint() -> None:
    with pytest.raises(rp.SpecError, match=r"no stage is called 'watermark'.*; install the package that brings it"):
        rp.Clip.model_validate({"source": "a", "stages": [{"stage": "watermark"}]})


def test_an_estimate_counts_it_and_says_that_it_is_a_lower_bound(site: Path, game: Path) -> None:
    script = f"""{REEL}
import json, sys
from reelproc.cost.plan_work import count
work = count(rp.plan(reel(sys.argv[1])))
estimate = rp.estimate(reel(sys.argv[1]))
print(json.dumps([[s.amounts.get("stage.watermark") for s in work.segments], list(estimate.warnings)]))
"""
    amounts, warnings = json.loads(extension_wheel.run_with(site, script, str(game)))
    assert amounts == [pytest.approx(31 * 320 * 180 / 1e6)]  # the frames from 2.5 s to 3.5 s
    assert any("stage.watermark" in said for said in warnings), warnings


@pytest.mark.skipif(LIVE, reason="looks inside the loopback")
def test_containers_on_modal_find_it(site: Path, game: Path, tmp_path: Path) -> None:
    script = f"""{REEL}
import sys
from modal_service import deployed
game, output = sys.argv[1:]
with deployed() as service, rp.executor("modal-cpu", staging=service.address("stage")) as executor:
    executor.submit(rp.RenderJob(reel=reel(game), output=output)).result(timeout=300)
"""
    made = tmp_path / "reel.mp4"
    environment = {"REELPROC_MODAL_MODULES": extension_wheel.MODULE, "REELPROC_HOME": str(tmp_path / "home")}
    extension_wheel.run_with(site, script, str(game), str(made), **environment)
    check_result(made, game)
