"""The command line: what jobs it makes, what it prints, and how it fails. Jobs end as the mock executor says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import reelproc as rp
from reelproc.cli import app, interruption
from reelproc.reel_file import anchored, read_reel, write_reel
from reelproc.testing import MockExecutor, Scripted
from waiting import LONG

Command = Callable[..., Result]


@pytest.fixture
def reelproc_command() -> Command:
    """Runs the command line in this process."""
    runner = CliRunner()

    def run(*arguments: str | Path, stdin: str | None = None) -> Result:
        return runner.invoke(app, [str(a) for a in arguments], input=stdin)

    return run


@pytest.fixture
def mocked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., MockExecutor]:
    """Puts a mock in the place of every executor that the command line asks for."""

    def put(*results: Any) -> MockExecutor:
        executor = MockExecutor(results=results or None)
        monkeypatch.setattr(rp, "executor", lambda name: executor)
        return executor

    return put


def render_jobs(executor: MockExecutor) -> list[rp.RenderJob]:
    return [job for job in executor.jobs if isinstance(job, rp.RenderJob)]


# ---- the list of commands


def test_help_lists_exactly_the_commands_that_there_are(reelproc_command: Command) -> None:
    shown = reelproc_command("--help")
    assert shown.exit_code == 0
    sections = re.findall(r"^(\w[^:\n]*):\n((?:  \w.*\n)+)", shown.stdout.split("Options:")[1], re.MULTILINE)
    listed = sorted(line.split()[0] for _, lines in sections for line in lines.splitlines())
    assert [title for title, _ in sections][:3] == ["Make reels", "Look", "Find players"]
    commands = ["attach", "calibrate", "concat", "costs", "demo", "detect", "doctor", "estimate", "experiment"]
    commands += ["extract", "follow", "frame", "get", "jobs", "modal", "models", "overlay", "plan", "prices", "probe"]
    commands += ["put", "reel", "render", "sheet", "simulate", "still"]
    assert listed == commands
    assert app.list_commands(None) == commands  # type: ignore[arg-type]


def test_no_arguments_show_the_help(reelproc_command: Command) -> None:
    assert reelproc_command().stdout == reelproc_command("--help").stdout


@pytest.mark.parametrize(
    "command", ["concat", "demo", "detect", "doctor", "extract", "follow", "frame", "overlay", "probe", "render"]
)
def test_every_command_has_help_json_and_debug(reelproc_command: Command, command: str) -> None:
    shown = reelproc_command(command, "--help")
    assert shown.exit_code == 0
    assert "--json" in shown.stdout
    assert "--debug" in shown.stdout
    assert "--verbose" in shown.stdout


def test_the_version_is_the_packages(reelproc_command: Command) -> None:
    assert rp.__version__ in reelproc_command("--version").stdout


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from reelproc.cli import app\n"
        "try: app.main(['--help'], prog_name='reelproc')\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'av', 'PIL', 'pydantic', 'rich'} & set(sys.modules)\n"
        "sys.exit(' '.join(sorted(heavy)) or 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=LONG, check=False)
    assert ran.returncode == 0, ran.stderr


# ---- failures


def test_a_usage_error_is_a_message_and_2(reelproc_command: Command) -> None:
    ran = reelproc_command("frame", "a.mp4", "b.mp4")
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert "Missing option '--size'" in ran.stderr
    assert "Usage: " in ran.stderr


def test_extract_takes_the_file_s_own_start_and_end_where_none_is_given(
    reelproc_command: Command, mocked: Callable[..., MockExecutor]
) -> None:
    first = mocked()
    assert reelproc_command("extract", "a.mp4", "b.mp4", "--end", "0:04").exit_code == 0
    then = mocked()
    assert reelproc_command("extract", "a.mp4", "c.mp4", "--start", "2").exit_code == 0
    assert first.jobs == [rp.ExtractJob(source="a.mp4", output="b.mp4", end=4)]
    assert then.jobs == [rp.ExtractJob(source="a.mp4", output="c.mp4", start=2)]


def test_with_json_a_usage_error_is_json_on_standard_output(reelproc_command: Command) -> None:
    ran = reelproc_command("frame", "a.mp4", "b.mp4", "--json")
    assert ran.exit_code == 2
    assert json.loads(ran.stdout)["error"]["type"] == "UsageError"
    assert ran.stderr == ""


def test_an_unknown_command_is_a_usage_error(reelproc_command: Command) -> None:
    assert reelproc_command("fly").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (rp.SpecError("width is odd"), 2),
        (rp.ObjectNotFoundError("there is no file a.mp4"), 2),
        (rp.DecodeError("packet 7 is damaged"), 1),
        (rp.MissingDependencyError("torch is not installed; pip install 'reelproc[ai]'"), 1),
        (rp.JobLostError("its worker died"), 1),
    ],
)
def test_a_failed_job_says_why_without_a_traceback(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], error: rp.ReelprocError, code: int
) -> None:
    mocked(error)
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")
    assert ran.exit_code == code
    assert str(error) in ran.stderr
    assert "Traceback" not in ran.stderr
    mocked(error)
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1", "--json")
    assert ran.exit_code == code
    assert json.loads(ran.stdout) == {
        "error": {"type": type(error).__name__, "message": str(error), "transient": error.transient}
    }


def test_debug_shows_the_traceback(reelproc_command: Command, mocked: Callable[..., MockExecutor]) -> None:
    mocked(rp.DecodeError("packet 7 is damaged"))
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1", "--debug")
    assert ran.exit_code == 1
    assert "Traceback" in ran.stderr


def test_an_unexpected_error_is_a_message_too(reelproc_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(rp, "executor", broken)
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")
    assert ran.exit_code == 1
    assert "ZeroDivisionError: a bug" in ran.stderr
    assert "--debug" in ran.stderr


def test_an_interruption_is_130(reelproc_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(rp, "executor", interrupted)
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")
    assert ran.exit_code == 130
    assert "Traceback" not in ran.stderr


def test_an_interruption_that_an_import_wrapped_or_dropped_is_130(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrapped(_: str) -> None:
        raise RuntimeError("Error calling __set_name__")

    monkeypatch.setattr(interruption, "_exit_codes", [130])
    with monkeypatch.context() as patch:
        patch.setattr(rp, "executor", wrapped)
        ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")
        assert (ran.exit_code, "interrupted" in ran.stderr) == (130, True)
    mocked(Scripted(seconds=float("inf")))
    assert reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1").exit_code == 130
    monkeypatch.setattr(interruption, "_exit_codes", [143])
    assert reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1").exit_code == 143


# ---- frame


def test_frame_crops_then_changes_speed_then_scales(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], tmp_path: Path
) -> None:
    keyframes = tmp_path / "k.json"
    keyframes.write_text('[{"time": 0, "x": 1.5, "y": 2, "width": 540, "height": 960}]')
    executor = mocked()
    ran = reelproc_command(
        "frame", "game.mp4", "out.mp4", "--size", "810x1440", "--keyframes", keyframes, "--interpolation",
        "catmull-rom",
        "--upscaler", "bicubic", "--start", "3", "--end", "9", "--speed", "1:2:0.5", "--speed", "3:4:2", "--fps",
        "30000/1001",
        "--on-damage", "conceal", "--json",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.stderr
    (job,) = render_jobs(executor)
    crop, speed, upscale = job.reel.clips[0].stages
    assert crop.stage == "crop"
    assert (crop.keyframes[0].x, crop.interpolation) == (1.5, "catmull-rom")
    assert speed.stage == "speed"
    assert [(s.start, s.end, s.speed) for s in speed.segments] == [(1, 2, 0.5), (3, 4, 2)]
    assert upscale.stage == "upscale"
    assert upscale.model == "bicubic"
    assert (job.reel.clips[0].start, job.reel.clips[0].end) == (3, 9)
    assert (job.reel.output.width, job.reel.output.height, str(job.reel.output.fps)) == (810, 1440, "30000/1001")
    assert job.on_damage == "conceal"
    assert json.loads(ran.stdout)["output"] == "out.mp4"


def test_frame_without_keyframes_crops_the_centre(
    reelproc_command: Command, mocked: Callable[..., MockExecutor]
) -> None:
    executor = mocked()
    assert reelproc_command("frame", "game.mp4", "out.mp4", "--size", "810x1440", "--speed", "0.5").exit_code == 0
    crop, speed, _ = render_jobs(executor)[0].reel.clips[0].stages
    assert crop == rp.Crop()
    assert speed.stage == "speed"
    assert (speed.segments[0].start, speed.segments[0].speed) == (0, 0.5)


def test_keyframes_may_come_from_standard_input_as_an_object(
    reelproc_command: Command, mocked: Callable[..., MockExecutor]
) -> None:
    executor = mocked()
    given = {"keyframes": [{"time": 0, "x": 0, "y": 0, "width": 9, "height": 16}], "interpolation": "catmull-rom"}
    ran = reelproc_command("frame", "a.mp4", "b.mp4", "--size", "90x160", "--keyframes", "-", stdin=json.dumps(given))
    assert ran.exit_code == 0, ran.stderr
    crop = render_jobs(executor)[0].reel.clips[0].stages[0]
    assert crop.stage == "crop"
    assert crop.interpolation == "catmull-rom"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[{]", "not valid JSON"),
        ('[{"time": 0, "x": 0, "y": 0, "width": 0, "height": 9}]', "keyframes[0].width"),
        ('[{"time": 0, "x": 0, "y": 0, "width": 5, "height": 9, "zoom": 2}]', "keyframes[0].zoom"),
        ('{"frames": []}', "expected a list of keyframes or an object with 'keyframes', got an object with 'frames'"),
        ("3", "got int"),
    ],
)
def test_bad_keyframes_name_the_field(reelproc_command: Command, tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "k.json"
    path.write_text(text)
    ran = reelproc_command("frame", "a.mp4", "b.mp4", "--size", "90x160", "--keyframes", path)
    assert ran.exit_code == 2
    assert says in ran.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--size", "810"),
        ("--size", "810x"),
        ("--size", "-8x6"),
        ("--size", "811x1440"),
        ("--size", "90x160", "--speed", "fast"),
        ("--size", "90x160", "--speed", "1:2"),
        ("--size", "90x160", "--speed", "2:1:0.5"),
        ("--size", "90x160", "--speed", "99"),
        ("--size", "90x160", "--fps", "zero"),
        ("--size", "90x160", "--start", "5", "--end", "4"),
        ("--size", "90x160", "--keyframes", "nowhere.json"),
    ],
)
def test_frame_refuses_nonsense(reelproc_command: Command, options: tuple[str, ...]) -> None:
    ran = reelproc_command("frame", "a.mp4", "b.mp4", *options, "--json")
    assert ran.exit_code == 2
    assert json.loads(ran.stdout)["error"]["message"]


# ---- overlay, extract, concat


REGION = {"start_time": 0, "end_time": 2, "keyframes": [{"time": 0, "x": 50, "y": 60, "radius_x": 5, "radius_y": 9}]}


@pytest.mark.parametrize("data", [[REGION], {"regions": [REGION], "stroke_width": 3}])
def test_overlay_keeps_size_and_rate(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], tmp_path: Path, data: Any
) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps(data))
    executor = mocked()
    ran = reelproc_command("overlay", "a.mp4", "b.mp4", "--regions", path, "--effect", "brightness_boost")
    assert ran.exit_code == 0, ran.stderr
    (job,) = render_jobs(executor)
    (stage,) = job.reel.clips[0].stages
    assert stage.stage == "overlay"
    assert stage.effect == "brightness_boost"
    assert stage.stroke_width == (3 if isinstance(data, dict) else 0)
    assert (job.reel.output.width, job.reel.output.height, job.reel.output.fps) == (None, None, None)


def test_overlay_names_the_bad_field(reelproc_command: Command) -> None:
    wrong = [{**REGION, "keyframes": [{"time": 0, "x": "left", "y": 0, "radius_x": 1, "radius_y": 1}]}]
    ran = reelproc_command("overlay", "a.mp4", "b.mp4", "--regions", "-", stdin=json.dumps(wrong))
    assert ran.exit_code == 2
    assert "regions[0].keyframes[0].x" in ran.stderr


def test_overlay_names_the_effects_there_are(reelproc_command: Command) -> None:
    ran = reelproc_command(
        "overlay", "a.mp4", "b.mp4", "--regions", "-", "--effect", "sparkle", stdin=json.dumps([REGION])
    )
    assert ran.exit_code == 2
    assert "brightness_boost" in ran.stderr


@pytest.mark.parametrize("copy", [False, True])
def test_extract_says_what_it_cut(reelproc_command: Command, mocked: Callable[..., MockExecutor], copy: bool) -> None:
    executor = mocked()
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "1.5", "--end", "3.5", *(["--copy"] if copy else []))
    assert ran.exit_code == 0, ran.stderr
    (job,) = executor.jobs
    assert isinstance(job, rp.ExtractJob)
    assert (job.start, job.end, job.copy_codec) == (1.5, 3.5, copy)
    assert ("copied: 1.500 s to 3.500 s of a.mp4" if copy else "cut exactly: 1.500 s") in ran.stdout


def test_concat_joins_in_order(reelproc_command: Command, mocked: Callable[..., MockExecutor]) -> None:
    executor = mocked()
    ran = reelproc_command(
        "concat", "a.mp4", "b.mp4", "c.mp4", "out.mp4", "--transition", "dissolve", "--duration", "0.25", "--fps", "25"
    )
    assert ran.exit_code == 0, ran.stderr
    (job,) = render_jobs(executor)
    assert [c.source for c in job.reel.clips] == ["a.mp4", "b.mp4", "c.mp4"]
    assert job.output == "out.mp4"
    assert (job.reel.concat.transition, job.reel.concat.duration) == ("dissolve", 0.25)
    assert (job.reel.output.width, job.reel.output.fps) == (None, 25)


def test_concat_wants_two_videos_and_a_name(reelproc_command: Command) -> None:
    ran = reelproc_command("concat", "a.mp4", "out.mp4")
    assert ran.exit_code == 2
    assert "at least two videos and the output's name, got 2 names" in ran.stderr


# ---- render, and reels in files


def test_relative_sources_are_taken_from_the_reels_folder(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], tmp_path: Path
) -> None:
    sources = ("game.mp4", "../more/game 2.mp4", "/abs/game.mp4", "file:///abs/game.mp4", "s3://bucket/game.mp4")
    reel = rp.Reel(clips=[rp.Clip(source=s) for s in sources])
    write_reel(reel, tmp_path / "reel.json")
    executor = mocked()
    assert reelproc_command("render", tmp_path / "reel.json", "out.mp4").exit_code == 0
    assert [c.source for c in render_jobs(executor)[0].reel.clips] == [
        f"{tmp_path}/game.mp4",
        f"{tmp_path}/../more/game 2.mp4",
        *sources[2:],
    ]


def test_a_reel_may_come_from_standard_input(reelproc_command: Command, mocked: Callable[..., MockExecutor]) -> None:
    executor = mocked()
    ran = reelproc_command("render", "-", "out.mp4", stdin='{"clips": [{"source": "game.mp4"}]}')
    assert ran.exit_code == 0, ran.stderr
    assert render_jobs(executor)[0].reel.clips[0].source == "game.mp4"


@pytest.mark.parametrize(
    "text", ["{", '{"clips": []}', '{"clips": [{"source": "a.mp4", "stages": [{"stage": "crop", "x": 1}]}]}']
)
def test_a_bad_reel_is_bad_input_that_names_the_file(reelproc_command: Command, tmp_path: Path, text: str) -> None:
    (tmp_path / "reel.json").write_text(text)
    ran = reelproc_command("render", tmp_path / "reel.json", "out.mp4")
    assert ran.exit_code == 2
    assert "reel.json" in ran.stderr


def test_a_missing_reel_is_bad_input(reelproc_command: Command, tmp_path: Path) -> None:
    assert reelproc_command("render", tmp_path / "none.json", "out.mp4").exit_code == 2
    assert reelproc_command("render", tmp_path, "out.mp4").exit_code == 1  # a folder is there, but cannot be read


def test_an_unknown_executor_lists_those_there_are(reelproc_command: Command, tmp_path: Path) -> None:
    write_reel(rp.Reel(clips=[rp.Clip(source="a.mp4")]), tmp_path / "reel.json")
    ran = reelproc_command("render", tmp_path / "reel.json", "out.mp4", "--executor", "abacus")
    assert ran.exit_code == 2
    assert "local" in ran.stderr


def test_a_reel_in_a_folder_whose_name_no_json_holds_is_bad_input(
    reelproc_command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Path("reel.json").write_text('{"clips": [{"source": "game.mp4"}]}')
    for reel, given in (("reel.json", ""), ("-", '{"clips": [{"source": "/game.mp4"}]}')):
        ran = reelproc_command("render", reel, "out.mp4", stdin=given)
        assert ran.exit_code == 2
        assert "a file name that is not UTF-8 cannot stand in JSON; rename it" in ran.stderr
    assert [p.name for p in folder.iterdir()] == ["reel.json"]


@pytest.mark.parametrize("name", ["a\0.json", "\ud83d.json"])
def test_a_reel_under_a_name_that_no_file_can_have_is_a_storage_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(rp.StorageError, match="cannot be read"):
        read_reel(tmp_path / name)
    with pytest.raises(rp.StorageError, match="cannot be written"):
        write_reel(rp.Reel(clips=[rp.Clip(source="a.mp4")]), tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_written_reel_reads_back_the_same(tmp_path: Path) -> None:
    reel = rp.Reel(
        clips=[
            rp.Clip(source="/games/Münster ⚽.mp4", start=1, stages=[rp.Crop(), rp.Banner(rating=5, name="“Tor!”")]),
            rp.Clip(source="/b.mp4", stages=[rp.Overlay(regions=[rp.HighlightRegion.model_validate(REGION)])]),
        ],
        output=rp.Output(fps="30000/1001"),
    )
    write_reel(reel, tmp_path / "reel.json")
    assert read_reel(tmp_path / "reel.json") == reel
    assert json.loads((tmp_path / "reel.json").read_text(encoding="utf-8")) == json.loads(reel.model_dump_json())
    assert anchored(reel, tmp_path) == reel
    assert [p.name for p in tmp_path.iterdir()] == ["reel.json"]


# ---- what people see


def test_warnings_go_to_standard_error_and_into_the_json(
    reelproc_command: Command, mocked: Callable[..., MockExecutor]
) -> None:
    result = rp.RenderResult(
        output="b.mp4",
        frame_count=9,
        duration_seconds=0.3,
        fps="30",
        width=8,
        height=8,
        warnings=("3 frames concealed",),
    )
    mocked(result)
    arguments = ("concat", "a.mp4", "b.mp4", "out.mp4", "--fps", "30")
    ran = reelproc_command(*arguments)
    assert "3 frames concealed" in ran.stderr
    assert "concealed" not in ran.stdout
    mocked(result)
    ran = reelproc_command(*arguments, "--json")
    assert json.loads(ran.stdout)["warnings"] == ["3 frames concealed"]
    assert {json.loads(line)["event"] for line in ran.stderr.splitlines()} == {"job", "progress"}


def test_a_job_that_never_ends_can_be_interrupted(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption comes out of the wait for events, and the job is cancelled on the way out."""
    executor = mocked(Scripted(seconds=float("inf")))
    handle_type = type(executor.submit(rp.ExtractJob(source="x.mp4", output="y.mp4")))

    def interrupted(self: object) -> Any:
        raise KeyboardInterrupt

    executor = mocked(Scripted(seconds=float("inf")))
    monkeypatch.setattr(handle_type, "events", interrupted)
    ran = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0", "--end", "1")
    assert ran.exit_code == 130


# ---- doctor


def test_doctor_finds_what_this_machine_has(reelproc_command: Command) -> None:
    ran = reelproc_command("doctor", "--json")
    assert ran.exit_code == 0, ran.stdout
    report = json.loads(ran.stdout)
    checks = {check["name"]: check for check in report["checks"]}
    assert report["ok"]
    assert "libx264" in checks["encoders"]["detail"]
    assert "numpy" in checks["packages"]["detail"]
    assert "reelproc-" not in checks["extras"]["detail"]
    assert "AGPL-3.0" in checks["detection"]["detail"]
    assert {"python", "machine", "opencv", "ffmpeg", "sound", "fonts", "disk here"} <= set(checks)


def test_doctor_fails_where_ffmpeg_does_not_run(reelproc_command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_FFMPEG", "/bin/false")
    ran = reelproc_command("doctor")
    assert ran.exit_code == 1
    assert "fail  ffmpeg" in ran.stdout
    assert "REELPROC_FFMPEG" in ran.stdout


@pytest.mark.parametrize("start", ["83.5", "1:23.5", "0:01:23.5"])
def test_every_time_option_takes_a_clocks_time(
    reelproc_command: Command, mocked: Callable[..., MockExecutor], start: str
) -> None:
    executor = mocked()
    assert reelproc_command("extract", "a.mp4", "b.mp4", "--start", start, "--end", "1:30").exit_code == 0
    (cut,) = [job for job in executor.jobs if isinstance(job, rp.ExtractJob)]
    assert (cut.start, cut.end) == (83.5, 90.0)
    executor = mocked()
    options = ("--size", "90x160", "--start", start, "--end", "1:30")
    assert reelproc_command("frame", "a.mp4", "b.mp4", *options).exit_code == 0
    (clip,) = render_jobs(executor)[0].reel.clips
    assert (clip.start, clip.end) == (83.5, 90.0)
    executor = mocked()
    joined = reelproc_command(
        "concat", "a", "b", "c.mp4", "--transition", "fade", "--duration", "0:01.5", "--fps", "30"
    )
    assert joined.exit_code == 0
    assert render_jobs(executor)[0].reel.concat.duration == 1.5


def test_what_is_no_time_on_the_command_line_is_bad_usage(reelproc_command: Command) -> None:
    refused = reelproc_command("extract", "a.mp4", "b.mp4", "--start", "0:3", "--end", "9")
    assert refused.exit_code == 2
    assert "Invalid value for '--start': a time is seconds, like 83.5, or M:SS or H:MM:SS" in refused.stderr
