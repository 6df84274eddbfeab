"""Jobs are data: JSON both ways, an identity, and one function that does them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reelproc import jobs
from reelproc.errors import JobCancelledError, SpecError
from reelproc.job_context import JobContext
from reelproc.jobs import ExtractJob, RenderJob, job_from_json, job_hash, job_identity, job_sources, run_job
from reelproc.reel import Clip, Reel
from reelproc.results import Progress, RenderResult


def render(*sources: str, output: str = "reel.mp4") -> RenderJob:
    return RenderJob(reel=Reel(clips=[Clip(source=source, end=1) for source in sources]), output=output)


@pytest.mark.parametrize("job", [render("a.mp4"), ExtractJob(source="a.mp4", output="b.mp4", start=1, end=2)])
def test_a_job_survives_json(job: RenderJob | ExtractJob) -> None:
    again = job_from_json(job.model_dump_json())
    assert again == job
    assert type(again) is type(job)
    assert job_hash(again) == job_hash(job)


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
    assert len({job_hash(render(name)) for name in ("a.mp4", "b.mp4", "c.mp4")}) == 3
    assert job_hash(render("a.mp4")) == job_hash(render("a.mp4"))


def test_a_jobs_sources_are_named_once_and_in_order() -> None:
    assert job_sources(render("b.mp4", "a.mp4", "b.mp4")) == ("b.mp4", "a.mp4")
    assert job_sources(ExtractJob(source="a.mp4", output="b.mp4")) == ("a.mp4",)


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
    before = job_identity(render("game.mp4"))
    assert job_identity(render("game.mp4")) == before
    change(there)
    assert job_identity(render("game.mp4")) != before


def test_a_jobs_identity_changes_with_its_content_and_with_what_a_relative_output_means(
    there: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = str(there / "game.mp4")
    before = job_identity(render(source))
    assert job_identity(render(source, source)) != before
    absolute = job_identity(render(source, output=str(there / "reel.mp4")))
    (there / "elsewhere").mkdir()
    monkeypatch.chdir(there / "elsewhere")
    assert job_identity(render(source)) != before
    assert job_identity(render(source, output=str(there / "reel.mp4"))) == absolute


def test_a_source_that_nothing_is_known_of_still_gives_an_identity() -> None:
    assert job_identity(render("gopher://host/game.mp4")) != job_identity(render("missing.mp4"))


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

    monkeypatch.setattr(jobs, "_dispatch", hungry)
    assert run_job(render("a.mp4")).peak_memory_bytes > 64 << 20


def test_the_share_of_the_whole_never_goes_back_through_a_jobs_phases() -> None:
    phases = ["startup", "download", "probe", "load", "render", "audio", "assemble", "upload", "done"]
    shares = [Progress(phase=p, done=n, total=4).share for p in phases for n in range(5)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)
    assert Progress(phase="done").share == 1, "with or without a total"
