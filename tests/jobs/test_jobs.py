"""Jobs are data: JSON both ways, an identity, and one function that does them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reelproc.errors import JobCancelledError, SpecError
from reelproc.job_context import JobContext
from reelproc.jobs import ExtractJob, RenderJob, job_from_json, run_job
from reelproc.reel import Clip, Reel
from reelproc.results import Progress, RenderResult


def render(*sources: str, output: str = "reel.mp4") -> RenderJob:
    return RenderJob(reel=Reel(clips=[Clip(source=source, end=1) for source in sources]), output=output)


@pytest.mark.parametrize("job", [render("a.mp4"), ExtractJob(source="a.mp4", output="b.mp4", start=1, end=2)])
def test_a_job_survives_json(job: RenderJob | ExtractJob) -> None:
    again = job_from_json(job.model_dump_json())
    assert again == job
    assert type(again) is type(job)
    assert again.content_hash() == job.content_hash()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "job"),
        ('{"job": "moon"}', "render"),
        ('{"job": "extract", "source": "a", "output": "b", "extra": 1}', "extra"),
        ('{"job": "extract", "source": "a", "output": "b", "version": 2}', "version"),
        ("not json", "JSON"),
    ],
)
def test_what_is_no_job_is_a_spec_error(text: str, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        job_from_json(text)


def test_a_jobs_hash_tells_jobs_apart() -> None:
    assert len({render(name).content_hash() for name in ("a.mp4", "b.mp4", "c.mp4")}) == 3
    assert render("a.mp4").content_hash() == render("a.mp4").content_hash()


def test_a_jobs_sources_are_named_once_and_in_order() -> None:
    assert render("b.mp4", "a.mp4", "b.mp4").sources() == ("b.mp4", "a.mp4")
    assert ExtractJob(source="a.mp4", output="b.mp4").sources() == ("a.mp4",)


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "game.mp4").write_bytes(b"footage")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _touch(folder: Path) -> None:
    os.utime(folder / "game.mp4", ns=(1, 1))


def _grow(folder: Path) -> None:
    stamp = (folder / "game.mp4").stat().st_mtime_ns
    (folder / "game.mp4").write_bytes(b"more footage")
    os.utime(folder / "game.mp4", ns=(stamp, stamp))


def _remove(folder: Path) -> None:
    (folder / "game.mp4").unlink()


@pytest.mark.parametrize("change", [_touch, _grow, _remove])
def test_a_jobs_identity_changes_with_its_sources(there: Path, change: Callable[[Path], None]) -> None:
    before = render("game.mp4").identity()
    assert render("game.mp4").identity() == before
    change(there)
    assert render("game.mp4").identity() != before


def test_a_jobs_identity_changes_with_its_content_and_with_what_a_relative_output_means(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = str(there / "game.mp4")
    before = render(source).identity()
    assert render(source, source).identity() != before
    absolute = render(source, output=str(there / "reel.mp4")).identity()
    (there / "elsewhere").mkdir()
    monkeypatch.chdir(there / "elsewhere")
    assert render(source).identity() != before
    assert render(source, output=str(there / "reel.mp4")).identity() == absolute


def test_a_source_that_nothing_is_known_of_still_gives_an_identity() -> None:
    assert render("gopher://host/game.mp4").identity() != render("missing.mp4").identity()


def test_a_cancelled_context_raises_where_it_is_checked() -> None:
    context = JobContext()
    context.check()
    context.cancelled.set()
    with pytest.raises(JobCancelledError):
        context.check()


def test_running_a_job_reports_the_memory_it_took(monkeypatch: pytest.MonkeyPatch) -> None:
    result = RenderResult(output="reel.mp4", frame_count=1, duration_seconds=1, fps="1", width=2, height=2)

    def hungry(*_: object) -> RenderResult:
        ballast = bytearray(64 << 20)
        ballast[::4096] = b"x" * len(ballast[::4096])
        return result

    monkeypatch.setattr("reelproc.jobs.run.with_transfers", hungry)
    assert run_job(render("a.mp4")).peak_memory_bytes > 64 << 20


def test_the_share_of_the_whole_never_goes_back_through_a_jobs_phases() -> None:
    phases = ["startup", "download", "probe", "load", "render", "audio", "assemble", "upload", "done"]
    shares = [Progress(phase=p, done=n, total=4).share for p in phases for n in range(5)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert Progress(phase="done").share == 1, "with or without a total"
