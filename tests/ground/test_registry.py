"""Plugins come from others: whatever is wrong with one is said of it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from importlib import metadata
from pathlib import Path

import pytest

import reelproc as rp
from reelproc.errors import BackendError, MissingDependencyError, SpecError
from reelproc.media.write.encoders import EncoderSettings
from reelproc.registry import Registry

MODULES = {
    "broken": "def",
    "raising": "raise RuntimeError('no licence')",
    "exiting": "raise SystemExit(3)",
    "lacking": "import no_such_package_anywhere",
    "whole": "class Holder:\n    inner = 42",
}


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[int]:
    for name, text in MODULES.items():
        (tmp_path / f"plugin_{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    values = {name: f"plugin_{name}:Holder.inner" for name in MODULES} | {
        "extra": "plugin_whole:Holder.inner [fast]",
        "typo": "plugin_whole:Holder.outer",
    }
    points = [metadata.EntryPoint(name, value, "reelproc.test") for name, value in values.items()]
    monkeypatch.setattr(metadata, "entry_points", lambda group: points if group == "reelproc.test" else [])
    return Registry("number", group="reelproc.test")


def test_entry_points_may_be_nested_and_name_extras(registry: Registry[int]) -> None:
    assert (registry.get("whole"), registry.get("extra")) == (42, 42)


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("broken", BackendError, "plugin_broken fails with SyntaxError"),
        ("raising", BackendError, "fails with RuntimeError: no licence"),
        ("exiting", BackendError, "fails with SystemExit: 3"),
        ("lacking", MissingDependencyError, "no_such_package_anywhere"),
        ("typo", BackendError, "registered as 'plugin_whole:Holder.outer'"),
        ("none", SpecError, "there are: broken, exiting"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said_of_it(
    registry: Registry[int], name: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said):
        registry.get(name)


@pytest.mark.parametrize(
    ("ask", "meant"),
    [
        (lambda: rp.executor("lokal"), "local"),
        (lambda: rp.executor("local", worker=2), "workers"),
        (lambda: rp.Upscale(model="lanzcos").upscaler(), "lanczos"),
        (lambda: rp.open_video("a.mp4", backend="ffmepg"), "ffmpeg"),
        (lambda: rp.open_video("a.mp4", pix_fmt="yuv402p"), "yuv420p"),  # type: ignore[arg-type]
        (lambda: EncoderSettings("libx246").encoder, "libx264"),
        (lambda: EncoderSettings("libx264", preset="fsat").arguments(Fraction(30)), "fast"),
        (lambda: rp.Concat(transition="disolve"), "dissolve"),  # type: ignore[arg-type]
    ],
)
def test_a_misspelt_name_is_met_with_the_one_that_was_meant(ask: Callable[[], object], meant: str) -> None:
    with pytest.raises(rp.SpecError, match=rf"; did you mean '{meant}'\?$"):
        ask()


def test_nobody_is_told_that_they_meant_something_quite_different() -> None:
    with pytest.raises(rp.SpecError, match=r"modal-t4$"):
        rp.executor("kubernetes")
