"""The experiments run whole, small: on this machine, from the command line, and on the loopback Modal."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import reelproc as rp
import reelproc_lab as lab
from media_factory import numbered_video, run_ffmpeg
from modal_service import LIVE, ModalService
from reelproc.cli import app
from reelproc_lab import e7_chunks, e8_parallel_clips
from reelproc_lab.report import write_report
from reelproc_lab.verify import WrongOutput, check_made, least_psnr


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """22 s of small moving picture and a tone."""
    path = tmp_path_factory.mktemp("game") / "game.mp4"
    argv = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=30:d=22", "-f", "lavfi", "-i", "sine=d=22"]
    run_ffmpeg(*argv, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", str(path))
    return path


def settings(game: Path, **changes: object) -> lab.Settings:
    return lab.Settings(**({"footage": str(game), "repeats": 1, "model": "none"} | changes))  # type: ignore[arg-type]


def reelproc(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def values(outcome: lab.Outcome, name: str, case: str | None = None) -> dict[str, float]:
    return {
        s.arm: s.quantities[name].median for s in outcome.summaries if s.counts and case in (None, s.case)
    }  # fmt: skip


def assert_all_right(outcome: lab.Outcome) -> None:
    assert [(r.case, r.arm, r.error) for r in outcome.records if r.status != "complete"] == []
    assert outcome.missing == 0


def test_every_job_is_measured_and_a_second_run_adds_nothing(game: Path, tmp_path: Path) -> None:
    """E1, from the command line."""
    taught = tmp_path / "calibration.json"
    command = ["experiment", "e1", "--footage", str(game), "--model", "none", "--repeats", "1", "--out", str(tmp_path)]
    command += ["--calibration", str(taught)]
    done = reelproc(*command, "--json")
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.stdout)
    assert {d["case"]: d["status"] for d in found["decisions"]} == dict.fromkeys(
        ("overlay, 3 s lit", "overlay, all lit", "framing", "extract", "compilation"), "recorded"
    )
    outcome = lab.read_outcome(tmp_path / "e1")
    assert_all_right(outcome)
    assert all("frames" in r.checks[0] for r in outcome.records)
    warm = next(s for s in outcome.summaries if s.case == "framing" and s.counts)
    assert warm.usd_billed is not None
    assert warm.usd_original is not None
    assert warm.usd_billed.median > warm.usd_original.median > 0, "the memory is what the original left out"
    assert {"decode", "stages", "encode"} <= set(warm.phases)
    (entry,) = rp.Calibration.load(taught).entries
    assert entry.hardware == "local"
    assert {"pace", "assemble"} & set(entry.rates), "reelproc estimate can use it"
    before = (tmp_path / "e1" / "runs.jsonl").read_bytes()
    again = reelproc(*command)
    assert again.exit_code == 0
    assert "framing: recorded" in again.output
    assert (tmp_path / "e1" / "runs.jsonl").read_bytes() == before

    table = reelproc("experiment", "--table", "--out", str(tmp_path))
    assert re.search(r"\| e1 Baseline of every job \| DONE \| overlay, 3 s lit: local", table.output)
    assert "| e3 CPU vs GPU comparison | NOT RUN |" in table.output
    assert "| overlay | undecided | not compared yet" in table.output
    other = reelproc(*command, "--full")
    assert other.exit_code == 2
    assert "holds the runs of another question: it differs in cases, held" in other.output


def test_a_reader_that_stops_at_damage_is_found_out(tmp_path: Path) -> None:
    """E2: OpenCV loses what lies behind damage, a plain pipe makes up frames of a variable rate."""
    folder = tmp_path / "footage"
    folder.mkdir()
    numbered_video(folder / "constant.mp4", frame_count=60)
    pts = [n * 33 + (n // 10) * 400 for n in range(60)]
    numbered_video(folder / "variable.mp4", pts=pts)
    numbered_video(folder / "late.mp4", frame_count=60, gop_size=12)
    data = bytearray((folder / "late.mp4").read_bytes())
    (folder / "late.mp4").unlink()
    data[len(data) // 3 : len(data) // 3 + 400] = bytes(400)
    (folder / "damaged.mp4").write_bytes(data)
    outcome = lab.run("e2", tmp_path, settings(folder, repeats=2))
    off = {case.name: values(outcome, "off", case.name) for case in outcome.question.cases}
    assert [case.name for case in outcome.question.cases][-1] != "damaged.mp4", "what fails comes first"
    assert off["constant.mp4"] == dict.fromkeys(off["constant.mp4"], 0)
    assert off["variable.mp4"]["plain ffmpeg pipe"] > 0
    assert off["variable.mp4"]["reelproc ffmpeg"] == off["variable.mp4"]["reelproc pyav"] == 0
    assert off["damaged.mp4"]["reelproc ffmpeg"] == off["damaged.mp4"]["reelproc pyav"] == 0


def test_a_render_in_chunks_is_measured_beside_one_in_one(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E7: the same picture, however it was divided; apart, the parts' seconds are paid for in all."""
    monkeypatch.setattr(e7_chunks, "REDUCED", e7_chunks.Sizes(20, (320, 180), 5, 1))
    monkeypatch.setattr(e7_chunks, "CHUNKS", (1, 2))
    outcome = lab.run("e7", tmp_path, settings(game))
    assert_all_right(outcome)
    assert [c.name for c in outcome.question.cases] == ["overlay", "overlay, apart", "framing", "framing, apart"]
    assert all(any("the same picture" in check for check in r.checks) for r in outcome.records if "2" in r.arm)
    apart = next(s for s in outcome.summaries if (s.case, s.arm) == ("framing, apart", "2 chunks"))
    assert apart.machines == 2
    assert apart.machine_seconds is not None
    assert apart.client_seconds is not None
    assert apart.machine_seconds.median > apart.client_seconds.median
    assert [d.status for d in outcome.decisions] == ["decided"] * 4
    side = next(s for s in outcome.summaries if (s.case, s.arm) == ("overlay", "2 chunks"))
    assert side.phases["parts"] > 0


def test_clips_in_parallel_move_bytes_that_those_in_sequence_do_not(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E8."""
    monkeypatch.setattr(e8_parallel_clips, "REDUCED", (e8_parallel_clips.Scenario(2, 1),))
    outcome = lab.run("e8", tmp_path, settings(game))
    assert_all_right(outcome)
    moved = values(outcome, "intermediate_bytes")
    assert moved["in sequence"] == 0
    assert moved["own jobs, then joined"] > 1000
    cold = values(outcome, "cold_starts")
    # a clip that is made before the next is handed in leaves its worker to it
    assert cold.pop("own jobs, then joined") in (2, 3)
    assert cold == {"in sequence": 1, "one job in chunks": 1}


def assert_loads(outcome: lab.Outcome, one_each: float) -> None:
    assert_all_right(outcome)
    assert values(outcome, "model_loads") == {
        "one each": one_each, "one for all, a job each": 1, "one for all, one job": 1,
    }  # fmt: skip


def test_one_container_loads_the_network_once(game: Path, tmp_path: Path) -> None:
    """E9, with the stand-in for a network."""
    outcome = lab.run("e9", tmp_path, settings(game))
    assert_loads(outcome, 3)
    assert values(outcome, "cold_starts")["one each"] == 3
    assert outcome.decisions[0].chosen in ("one for all, a job each", "one for all, one job")


@pytest.mark.skipif(LIVE, reason="counts on containers that nobody else uses")
def test_an_experiment_runs_whole_on_modal(game: Path, modal_service: ModalService, tmp_path: Path) -> None:
    """E9 in containers: footage is uploaded once, results are fetched and verified, cost is what Modal bills."""
    assert modal_service.server is not None
    modal_service.server.kill_containers()
    command = ["experiment", "e9", "--executor", "modal-cpu", "--staging", modal_service.address("experiments")]
    command += ["--footage", str(game), "--model", "none", "--repeats", "1", "--out", str(tmp_path)]
    done = reelproc(*command)
    assert done.exit_code == 0, done.output
    outcome = lab.read_outcome(tmp_path / "e9")
    assert_all_right(outcome)
    loads = values(outcome, "model_loads")
    assert loads["one each"] == 3, "all at once, three containers"
    assert loads["one for all, one job"] == 0, "a container that was warm had it"
    for record in outcome.records:
        measured = record.measurement
        assert measured is not None
        assert measured.hardware == "modal-cpu"
        assert measured.usd_billed is not None
        assert measured.machine_seconds is not None
        rate = measured.usd_billed / measured.machine_seconds
        assert rate == pytest.approx(4 * 0.0000131 + 8 * 0.00000222, rel=1e-3)
    assert modal_service.storage is not None
    left = modal_service.storage.keys()
    assert [key for key in left if key.startswith("experiments/")] == [], "nothing stays in the bucket"
    command[command.index("--staging") : command.index("--staging") + 2] = []
    refused = reelproc(*command, "--repeats", "2")
    assert "give staging='s3://bucket/prefix'" in refused.output


def test_footage_that_is_too_short_is_said_and_leaves_no_question(game: Path, tmp_path: Path) -> None:
    with pytest.raises(rp.SpecError, match=r"needs 90 s of footage, .* has 22\.00 s"):
        lab.run("e1", tmp_path, settings(game, full=True))
    lab.run("e1", tmp_path, settings(game, warm_ups=0))


def test_the_baseline_on_several_executors_compares_them(game: Path) -> None:
    """What is decided then places each kind of job."""
    question = lab.experiment("e1", settings(game, executors=("local", "modal-t4"))).question
    assert question.rule == lab.CheapestThenFaster()
    assert question.baseline == "local"
    assert {case.job_kind for case in question.cases} >= {"overlay", "framing", "extract", "compilation"}


# ---- outputs are verified


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds with sound."""
    path = tmp_path_factory.mktemp("right") / "right.mp4"
    sound = np.full((96_000, 1), 0.1, np.float32)
    numbered_video(path, frame_count=60, sound=sound)
    return path


@pytest.mark.parametrize(
    ("frames", "seconds", "message"),
    [
        (59, 2.0, "has 60 frames, expected 59"),
        (60, 2.2, r"takes 2\.000 s, expected 2\.200 s"),
    ],
)
def test_a_wrong_length_is_a_wrong_output(right: Path, frames: int, seconds: float, message: str) -> None:
    with pytest.raises(WrongOutput, match=message):
        check_made(lab.Made(path=str(right), frames=frames, duration_seconds=seconds))


def test_missing_or_short_sound_is_a_wrong_output(right: Path, tmp_path: Path) -> None:
    made = lab.Made(path=str(right), frames=60, duration_seconds=2.0)
    assert check_made(made)[:2] == ("60 frames", "2.000 s")
    silent, short = tmp_path / "silent.mp4", tmp_path / "short.mp4"
    numbered_video(silent, frame_count=60)
    numbered_video(short, frame_count=60, sound=np.full((48_000, 1), 0.1, np.float32))
    with pytest.raises(WrongOutput, match="no sound"):
        check_made(made.model_copy(update={"path": str(silent)}))
    with pytest.raises(WrongOutput, match=r"the sound ends at 1\.\d+ s, the picture at 2\.000 s"):
        check_made(made.model_copy(update={"path": str(short)}))


def test_another_picture_is_a_wrong_output(right: Path, tmp_path: Path) -> None:
    made = lab.Made(path=str(right), frames=60, duration_seconds=2.0)
    assert check_made(made, reference=str(right), same_picture_db=40.0)[-1] == "the same picture"
    other = tmp_path / "other.mp4"
    numbered_video(other, frame_count=60, first_number=1)
    with pytest.raises(WrongOutput, match="a frame differs from the reference's by"):
        check_made(made, reference=str(other), same_picture_db=40.0)
    assert least_psnr(str(right), str(other)) < 20


def test_a_wrong_output_is_written_down_and_does_not_count(right: Path, tmp_path: Path) -> None:
    def measure(bench: lab.Bench, case: lab.Case, arm: lab.Arm) -> lab.Measurement:
        copy = Path(bench.output("copy.mp4", "local"))
        copy.write_bytes(right.read_bytes())
        frames = 60 if arm.name == "a" else 61
        return lab.Measurement(
            client_seconds=1.0, made=(lab.Made(path=str(copy), frames=frames, duration_seconds=2.0),)
        )

    question = lab.Question(
        name="wrong", title="Wrong", question="?", hypothesis="", rule=lab.CheapestThenFaster(), baseline="a",
        arms=[lab.Arm(name=name, factors={"n": name}) for name in "ab"],
    )  # fmt: skip
    outcome = lab.run_experiment(lab.Experiment(question, measure, repeats=1), tmp_path)
    assert [(r.arm, r.status, r.error) for r in outcome.records] == [
        ("a", "complete", ""), ("b", "wrong", "the output has 60 frames, expected 61"),
    ]  # fmt: skip
    assert not list(tmp_path.glob("work/outputs/*")), "outputs are thrown away"


# ---- reports


def test_the_html_report_needs_nothing_else(game: Path, tmp_path: Path) -> None:
    outcome = lab.run("e2", tmp_path, settings(game, repeats=3))
    paths = write_report(outcome, tmp_path / "e2")
    assert [path.name for path in paths] == ["report.md", "report.html"]
    text = paths[1].read_text()
    assert text.count("<svg") == 1
    assert not re.search(r"<(script|link|img)|url\(http|@import", text)
    assert "Rule</strong>, stated before the first run" in text
    markdown = paths[0].read_text()
    assert markdown.startswith("# E2: Reading frames\n")
    assert re.search(r"\| reelproc pyav \| 3 \| [\d.]+ \[[\d.]+, [\d.]+\] \|", markdown)


def test_without_matplotlib_there_is_a_markdown_report_and_a_warning(
    game: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = reelproc("experiment", "e2", "--footage", str(game), "--repeats", "1", "--out", str(tmp_path))
    assert done.exit_code == 0
    assert "no report.html: charts need matplotlib" in done.stderr
    assert (tmp_path / "e2" / "report.md").exists()
    with pytest.raises(rp.MissingDependencyError, match=r"pip install 'reelproc\[report\]'"):
        write_report(lab.read_outcome(tmp_path / "e2"), tmp_path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["e99"], "no experiment is called 'e99'; there are: e1, e2"),
        (["e2", "--footage", "nowhere"], "there is no video at 'nowhere'"),
        (["e1", "--footage", "."], "or a folder"),
        (["e1", "--repeats", "0"], "not in the range"),
    ],
)
def test_what_cannot_be_run_is_said(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = reelproc("experiment", *arguments)
    assert done.exit_code in (1, 2)
    assert message in " ".join(done.output.split()) or "this experiment works on one video" in done.output


def test_the_experiments_are_listed() -> None:
    done = reelproc("experiment")
    assert [line[:2] for line in done.output.splitlines()][:2] == ["e1", "e2"]
