"""The command line as a program: real files in, real files out, read back with PyAV."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import pytest

import reelproc as rp
from media_factory import MadeVideo, numbered_video, read_number, tone
from processes import Family
from waiting import LONG, eventually

Program = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = [sys.executable, "-c", "from reelproc.cli import main; main()"]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs the program in ``tmp_path``, its jobs' folder in there too."""

    def run(*arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*COMMAND, *arguments],
            cwd=tmp_path,
            env={**os.environ, "REELPROC_HOME": str(tmp_path / "home")},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LONG,
            check=False,
        )

    return run


@pytest.fixture
def game(tmp_path: Path) -> MadeVideo:
    return numbered_video(tmp_path / "game.mp4", frame_count=60, fps=30, sound=tone(2.0))


def answer(ran: subprocess.CompletedProcess[str]) -> Any:
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads(ran.stdout)


def numbers(path: Path) -> list[int]:
    with av.open(str(path)) as container:
        return [read_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


def test_probe_says_what_a_file_is(program: Program, game: MadeVideo) -> None:
    info = answer(program("probe", "game.mp4", "--exact", "--json"))
    assert (info["frame_count"], info["video"]["width"], info["video"]["height"]) == (60, 192, 108)
    assert info["audio"]["sample_rate"] == 48_000
    shown = program("probe", "game.mp4").stdout
    assert "192x108" in shown
    assert "2.000 s" in shown


def test_frame_makes_the_size_asked_for(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    keyframes = [{"time": t, "x": 0, "y": 0, "width": 192, "height": 108} for t in (0, 1)]
    options = ("--size", "384x216", "--keyframes", "-", "--start", "0.5", "--speed", "0:0.5:0.5", "--json")
    result = answer(program("frame", "game.mp4", "out.mp4", *options, stdin=json.dumps(keyframes)))
    assert (result["width"], result["height"], result["frame_count"]) == (384, 216, 60)
    shown = numbers(tmp_path / "out.mp4")
    assert len(shown) == 60
    assert shown[:4] == [15, 15, 16, 16]
    assert shown[-3:] == [57, 58, 59]


def test_overlay_keeps_every_frame_and_its_time(program: Program, tmp_path: Path) -> None:
    pts = [0, 33, 70, 100, 200, 201, 300, 500]
    made = numbered_video(tmp_path / "variable.mkv", pts=pts, b_frames=0)
    regions = [
        {"start_time": 0, "end_time": 1, "keyframes": [{"time": 0, "x": 9, "y": 9, "radius_x": 4, "radius_y": 4}]}
    ]
    (tmp_path / "r.json").write_text(json.dumps({"regions": regions}))
    result = answer(program("overlay", "variable.mkv", "out.mkv", "--regions", "r.json", "--json"))
    assert (result["width"], result["height"], result["fps"]) == (192, 108, None)
    with av.open(str(tmp_path / "out.mkv")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([float(p * made.time_base) for p in made.pts], abs=0.001)
    assert numbers(tmp_path / "out.mkv") == list(made.numbers)


def test_extract_is_exact_and_a_copy_says_what_it_holds(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    exact = answer(program("extract", "game.mp4", "exact.mp4", "--start", "0.5", "--end", "1.0", "--json"))
    assert numbers(tmp_path / "exact.mp4") == list(range(15, 30))
    assert (exact["frame_count"], exact["copied"]) == (15, False)
    copied = answer(program("extract", "game.mp4", "copy.mp4", "--start", "0.5", "--end", "1.0", "--copy", "--json"))
    assert copied["copied"]
    shown = numbers(tmp_path / "copy.mp4")
    assert copied["start_seconds"] <= 0.5
    assert (shown[0], len(shown)) == (round(copied["start_seconds"] * 30), copied["frame_count"])
    assert shown[-1] == round(copied["end_seconds"] * 30) - 1
    assert set(range(15, 30)) <= set(shown)


def test_a_result_is_replaced_by_the_same_command_alone(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    cut = ("extract", "game.mp4", "out.mp4", "--start", "0.5")
    answer(program(*cut, "--end", "1.0", "--json"))
    answer(program(*cut, "--end", "1.0", "--json"))
    ran = program(*cut, "--end", "1.5", "--json")
    assert (ran.returncode, json.loads(ran.stdout)["error"]["type"]) == (2, "OutputExistsError")
    assert len(numbers(tmp_path / "out.mp4")) == 15
    answer(program(*cut, "--end", "1.5", "--force", "--json"))
    assert len(numbers(tmp_path / "out.mp4")) == 30
    ran = program("concat", "game.mp4", "game.mp4", "out.mp4")
    assert (ran.returncode, "out.mp4 is there already, made by another job" in ran.stderr) == (2, True)
    game.path.touch()
    assert program(*cut, "--end", "1.5").returncode == 2, "another source, another job"


def test_a_result_that_python_made_is_one(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    code = (
        "import reelproc as rp\n"
        "with rp.executor('local') as ex: ex.submit(rp.ExtractJob(source='game.mp4', output='o.mp4', end=1)).result()"
    )
    environment = {**os.environ, "REELPROC_HOME": str(tmp_path / "home")}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, timeout=LONG, check=True)
    assert program("extract", "game.mp4", "o.mp4", "--start", "0", "--end", "0.5").returncode == 2
    answer(program("extract", "game.mp4", "o.mp4", "--start", "0", "--end", "1", "--json"))


def test_the_output_that_is_a_source_is_said_to_be_one(program: Program, game: MadeVideo) -> None:
    ran = program("extract", "game.mp4", "./game.mp4", "--start", "0", "--end", "1")
    assert (ran.returncode, "is a source of the job" in ran.stderr) == (2, True)


def test_concat_takes_size_and_rate_of_the_first(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    numbered_video(tmp_path / "other.mp4", frame_count=50, fps=25, width=384, height=216, first_number=100)
    result = answer(program("concat", "game.mp4", "other.mp4", "out.mp4", "--json"))
    assert (result["width"], result["fps"], result["frame_count"]) == (192, "30", 120)
    shown = numbers(tmp_path / "out.mp4")
    assert shown[:60] == list(range(60))
    assert (shown[60], shown[-1]) == (100, 149)


def test_render_reads_the_reels_folder_not_the_current_one(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    folder = tmp_path / "reels"
    folder.mkdir()
    game.path.rename(folder / "game.mp4")
    reel = {"clips": [{"source": "game.mp4", "end": 1}], "output": {"width": 192, "height": 108}}
    (folder / "reel.json").write_text(json.dumps(reel))
    ran = program("render", "reels/reel.json", "out.mp4")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("out.mp4: 192x108, 30 frames") or "192x108, 30 frames" in ran.stdout
    line, *others = ran.stderr.splitlines()
    assert line.startswith("job render-")
    assert all(re.fullmatch(r"\w+: \d0 %", other) for other in others), "on a slow machine"
    assert numbers(tmp_path / "out.mp4") == list(range(30))


@pytest.mark.parametrize(
    ("arguments", "code", "kind"),
    [
        (("probe", "none.mp4"), 2, "ObjectNotFoundError"),
        (("probe", "text.mp4"), 2, "ProbeError"),
        (("frame", "none.mp4", "out.mp4", "--size", "90x160"), 2, "ObjectNotFoundError"),
        (("extract", "game.mp4", "out.mp4", "--start", "50", "--end", "60"), 2, "SpecError"),
        (("extract", "game.mp4", "out.txt", "--start", "0", "--end", "1"), 2, "SpecError"),
        (("frame", "game.mp4", "out.mp4", "--size", "90x160", "--upscaler", "wish"), 2, "SpecError"),
        (("concat", "game.mp4", "none.mp4", "out.mp4"), 2, "ObjectNotFoundError"),
        (("demo", "--out", "text.mp4"), 2, "StorageError"),
        (("demo", "--source", "none.mp4", "--out", "d"), 2, "ObjectNotFoundError"),
    ],
)
def test_failures_have_a_type_and_a_code_and_leave_no_file(
    program: Program, game: MadeVideo, tmp_path: Path, arguments: tuple[str, ...], code: int, kind: str
) -> None:
    (tmp_path / "text.mp4").write_text("this is not a film")
    ran = program(*arguments, "--json")
    assert json.loads(ran.stdout)["error"]["type"] == kind
    assert ran.returncode == code
    assert "Traceback" not in ran.stderr
    assert not [p.name for p in tmp_path.rglob("*") if p.name.startswith("out.") or ".part" in p.name]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_program_and_its_children_soon(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    numbered_video(tmp_path / "long.mp4", frame_count=600, fps=30, width=640, height=360)
    with Family() as family:
        process = family.start(
            [*COMMAND, "frame", "long.mp4", "out.mp4", "--size", "1620x2880"],
            cwd=tmp_path,
            env={**os.environ, "REELPROC_HOME": str(tmp_path / "home")},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert eventually(lambda: len(family.living()) >= 4), "itself, a worker, a decoder, an encoder"
        os.killpg(process.pid, sent)
        _, said = process.communicate(timeout=LONG)
        assert process.returncode == code, "ended by the signal, with most of the work undone"
        assert b"Traceback" not in said
        assert eventually(lambda: not family.living())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "long.mp4"]


def test_a_reader_that_goes_away_is_no_traceback(game: MadeVideo, tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        ran = subprocess.run(
            [*COMMAND, "probe", "game.mp4"],
            cwd=tmp_path,
            stdout=write,
            stderr=subprocess.PIPE,
            timeout=LONG,
            check=False,
        )
    finally:
        os.close(write)
    assert b"Traceback" not in ran.stderr
    assert b"Exception ignored" not in ran.stderr
    assert ran.returncode == 1


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_take_nothing_from_the_work(game: MadeVideo, tmp_path: Path, closed: str) -> None:
    (tmp_path / "reel.json").write_text('{"clips": [{"source": "game.mp4"}], "output": {"width": 96, "height": 54}}')
    arguments = ["render", "reel.json", "out.mp4"]
    environment = {**os.environ, "REELPROC_HOME": str(tmp_path / "home")}
    shell = ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *arguments]
    assert subprocess.run(shell, cwd=tmp_path, env=environment, timeout=LONG, check=False).returncode == 0
    assert numbers(tmp_path / "out.mp4") == list(range(60))


@pytest.mark.parametrize("source", ["game.mp4", "none.mp4"])
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_output_that_cannot_be_written_is_no_traceback(
    game: MadeVideo, tmp_path: Path, source: str, flags: list[str]
) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [*COMMAND, "probe", source, *flags],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=LONG,
            check=False,
        )
    assert ran.returncode == (1 if source == "game.mp4" else 2)
    assert ran.stderr.count("error: ") == 1
    assert ("cannot be written" if source == "game.mp4" else "there is no file") in ran.stderr
    assert "Traceback" not in ran.stderr
    assert "did not expect" not in ran.stderr


def test_standard_input_is_utf_8_whatever_the_locale_and_no_depth_is_too_much(
    program: Program, game: MadeVideo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ran = program("render", "-", "out.mp4", stdin='{"clips": [{"source": "Müller.mp4"}]}')
    assert ran.returncode == 2
    assert "Müller.mp4" in ran.stderr
    ran = program("render", "-", "out.mp4", stdin="[" * 100_000)
    assert (ran.returncode, "standard input is not valid JSON" in ran.stderr) == (2, True)


def test_who_stops_attaching_leaves_the_job_to_the_next(tmp_path: Path) -> None:
    numbered_video(tmp_path / "long.mp4", frame_count=600, fps=30, width=640, height=360)
    environment = {**os.environ, "REELPROC_HOME": str(tmp_path / "home")}
    (tmp_path / "reel.json").write_text('{"clips": [{"source": "long.mp4"}], "output": {"width": 540, "height": 304}}')
    with Family() as family:

        def started(*arguments: str) -> subprocess.Popen[bytes]:
            process = family.start(
                [*COMMAND, *arguments], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, start_new_session=True
            )
            assert eventually(lambda: len(family.living()) >= 4), "itself, a worker, a decoder, an encoder"
            return process

        first = started("render", "reel.json", "out.mp4", "--id", "j")
        first.kill()
        first.communicate(timeout=LONG)
        assert eventually(lambda: not family.living())
        second = started("attach", "j")
        second.send_signal(signal.SIGINT)
        _, said = second.communicate(timeout=LONG)
        assert (second.returncode, b"Traceback" in said) == (130, False)
        assert eventually(lambda: not family.living())
    last = subprocess.run([*COMMAND, "attach", "j"], cwd=tmp_path, env=environment, timeout=LONG, check=False)
    assert last.returncode == 0
    assert rp.probe(tmp_path / "out.mp4", exact=True).frame_count == 600


def test_a_job_that_was_interrupted_is_gone_on_with(tmp_path: Path) -> None:
    numbered_video(tmp_path / "long.mp4", frame_count=600, fps=30, width=640, height=360)
    environment = {**os.environ, "REELPROC_HOME": str(tmp_path / "home")}
    (tmp_path / "reel.json").write_text('{"clips": [{"source": "long.mp4"}], "output": {"width": 540, "height": 304}}')
    first = subprocess.Popen(
        [*COMMAND, "render", "reel.json", "out.mp4"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert first.stderr is not None
    name = first.stderr.readline().split()[1].rstrip(";")
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=LONG)
    assert first.returncode == 130
    assert not (tmp_path / "out.mp4").exists()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    last = subprocess.run([*COMMAND, "attach", name], cwd=elsewhere, env=environment, timeout=LONG, check=False)
    assert last.returncode == 0
    assert rp.probe(tmp_path / "out.mp4", exact=True).frame_count == 600
    again = subprocess.run(
        [*COMMAND, "render", "reel.json", "out.mp4"], cwd=tmp_path, env=environment, timeout=LONG, check=False
    )
    assert again.returncode == 0, "its result is its own"


def test_what_worker_processes_log_is_shown(program: Program, game: MadeVideo, tmp_path: Path) -> None:
    cut = ("extract", "game.mp4", "out.mp4", "--start", "0.5", "--end", "1.0")
    info = program(*cut, "-v").stderr
    assert "info reelproc.jobs: extract starts: game.mp4 -> out.mp4" in info
    assert "debug" not in info
    debug = program("-vv", *cut).stderr
    assert "debug reelproc.media.ffmpeg: " in debug
    assert " -hide_banner " in debug
    assert "reelproc." not in program(*cut).stderr


def test_what_the_workers_of_chunks_log_is_shown(program: Program, tmp_path: Path) -> None:
    numbered_video(tmp_path / "long.mp4", frame_count=640, fps=30, width=96, height=64)
    (tmp_path / "reel.json").write_text('{"clips": [{"source": "long.mp4"}], "output": {"width": 64, "height": 64}}')
    ran = program("render", "reel.json", "out.mp4", "--chunks", "2", "-v")
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.count("info reelproc.jobs: chunk starts: ") == 2


def test_a_spotlight_that_nobody_sees_is_in_the_results_warnings_and_strict_refuses_it(
    program: Program, game: MadeVideo, tmp_path: Path
) -> None:
    keyframe = {"time": 0, "x": 1000, "y": 50, "radius_x": 9, "radius_y": 9}
    regions = json.dumps([{"start_time": 0, "end_time": 9, "keyframes": [keyframe]}])
    result = answer(program("overlay", game.path.name, "out.mp4", "--regions", "-", "--json", stdin=regions))
    assert "region 0 lies outside the 192x108 picture in every frame, by 799 px or more" in result["warnings"][0]
    refused = program("overlay", game.path.name, "not.mp4", "--regions", "-", "--json", "--strict", stdin=regions)
    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert (error["type"], error["message"]) == ("SpecError", result["warnings"][0])
    assert not (tmp_path / "not.mp4").exists()


def test_a_strict_plan_refuses_what_the_plan_warns_of(program: Program, game: MadeVideo) -> None:
    keyframes = [rp.CropKeyframe(time=t, x=500, y=0, width=60, height=100) for t in (0, 1)]
    reel = rp.Reel(clips=[rp.Clip(source=game.path.name, stages=[rp.Crop(keyframes=keyframes)])])
    text = reel.model_dump_json()
    (warning,) = answer(program("plan", "-", "--json", stdin=text))["warnings"]
    assert "stage 0 (crop): has at 0 s a window of 60x100 pixels at (500, 0)" in warning
    refused = program("plan", "-", "--json", "--strict", stdin=text)
    assert refused.returncode == 2
    assert json.loads(refused.stdout)["error"]["message"] == warning


def test_a_film_may_come_by_a_pipe(game: MadeVideo, tmp_path: Path) -> None:
    """Its index lies at its end, so all of it must be there before any of it is read."""

    def piped(*arguments: str) -> Any:
        ran = subprocess.run(
            [*COMMAND, *arguments, "--json"],
            cwd=tmp_path,
            env={**os.environ, "REELPROC_HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "scratch")},
            input=game.path.read_bytes(),
            capture_output=True,
            timeout=LONG,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return json.loads(ran.stdout)

    (tmp_path / "scratch").mkdir()
    info = piped("probe", "-", "--exact")
    assert (info["path"], info["frame_count"]) == ("-", 60)
    piped("extract", "-", "cut.mp4", "--start", "0.5", "--end", "1")
    assert numbers(tmp_path / "cut.mp4") == list(range(15, 30))
    piped("concat", "cut.mp4", "-", "both.mp4")
    assert numbers(tmp_path / "both.mp4") == [*range(15, 30), *range(60)]
    assert list((tmp_path / "scratch").iterdir()) == []
