"""One call for one job: what it asks for, where, and what it says meanwhile."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

import reelproc as rp
from reelproc.results import Progress
from reelproc.testing import MockExecutor, Scripted

REEL = rp.Reel(clips=[rp.Clip(source="game.mp4", end=1)])


def test_a_reel_is_rendered_by_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    made = MockExecutor()
    monkeypatch.setattr("reelproc.shortcuts.make_executor", {"local": made}.__getitem__)
    result = rp.render(REEL, Path("out.mp4"), strict=True, chunks=2, copies=["b.mp4"], on_damage="conceal")
    assert isinstance(result, rp.RenderResult)
    assert made.jobs == [
        rp.RenderJob(reel=REEL, output="out.mp4", strict=True, chunks=2, copies=["b.mp4"], on_damage="conceal")
    ]
    with pytest.raises(rp.ExecutorError, match="closed"):
        made.submit(made.jobs[0])


def test_a_span_is_cut_out_by_one_call() -> None:
    with MockExecutor() as executor:
        result = rp.extract("game.mp4", "cut.mp4", start="0:03", end=timedelta(seconds=9), executor=executor)
        assert isinstance(result, rp.ExtractResult)
        assert executor.jobs == [rp.ExtractJob(source="game.mp4", output="cut.mp4", start=3, end=9)]
        rp.extract("game.mp4", "all.mp4", copy_codec=True, executor=executor)  # it stays open


def test_an_executor_may_be_named_and_progress_followed() -> None:
    seen: list[Progress] = []
    assert rp.render(REEL, "out.mp4", executor="mock", progress=seen.append).output == "out.mp4"
    assert seen[-1].phase == "done"


def test_an_error_comes_in_its_own_type() -> None:
    with MockExecutor(results=[rp.ProbeError("no video")]) as executor, pytest.raises(rp.ProbeError, match="no video"):
        rp.render(REEL, "out.mp4", executor=executor)


def test_an_interrupted_wait_cancels_the_job() -> None:
    def interrupt(_: Progress) -> None:
        raise KeyboardInterrupt

    with MockExecutor(results=[Scripted(seconds=60)]) as executor:
        with pytest.raises(KeyboardInterrupt):
            rp.render(REEL, "out.mp4", executor=executor, progress=interrupt)
        (handle,) = executor._runs.values()
        assert handle.cancelled


def test_render_is_a_function_and_a_module_whatever_was_imported_before() -> None:
    code = (
        "import {first}, reelproc as rp, inspect;"
        "import reelproc.render.plan as plan;"
        "print(callable(rp.render), rp.render.plan is plan, list(inspect.signature(rp.render).parameters)[:2])"
    )
    for first in ("reelproc", "reelproc.render.plan", "reelproc.jobs"):
        said = subprocess.check_output([sys.executable, "-c", code.format(first=first)], text=True)
        assert said.strip() == "True True ['reel', 'output']"
    assert inspect.signature(rp.render).return_annotation == "RenderResult"
    assert "reelproc.shortcuts.render" in (rp.render.__doc__ or "")


def test_reprs_are_short(tmp_path: Path) -> None:
    with rp.executor("local", folder=tmp_path, workers=2) as executor:
        assert repr(executor) == f"<LocalExecutor: 2 workers, jobs in {str(tmp_path)!r}>"
    assert repr(executor).endswith(", closed>")
    with rp.executor("local", folder=tmp_path) as executor:
        assert repr(executor).startswith("<LocalExecutor: 1 worker, ")
    assert repr(MockExecutor()) == "<MockExecutor: 0 jobs>"
