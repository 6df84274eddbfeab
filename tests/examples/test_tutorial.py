"""The tutorial works for whoever follows it: every block is run, in order, and its player is where it says he is."""

from __future__ import annotations

import json
from pathlib import Path

import av
import pytest

from doc_pages import DOCS, run_page
from media_factory import run_ffmpeg
from reelproc.demo.match import match_tracks

DEMO = "reelproc demo --out demo-reel"
"""Not run here: it renders for some seconds, and ``.ci/run`` and the demo's own tests run it."""


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder as the demo leaves it; in place of the match, a clip of its size, rate and length."""
    folder = tmp_path / "work"
    (folder / "demo-reel").mkdir(parents=True)
    run_ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30:duration=10", "-f", "lavfi", "-i", "sine=duration=10"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac"),
        str(folder / "demo-reel" / "match.mp4"),
    )
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    return folder


def test_the_tutorial_makes_the_reel_that_it_promises(workplace: Path) -> None:
    page = run_page(DOCS / "tutorial.md", skip={DEMO})
    with av.open(str(workplace / "goal.mp4")) as container:
        frames = [round(frame.time * 30, 3) for frame in container.decode(video=0)]
        size = (container.streams.video[0].width, container.streams.video[0].height)
    assert frames == list(range(174))
    assert size == (810, 1440)
    assert page["result"].warnings == ()
    stored = json.loads((workplace / "goal.json").read_text())
    assert [clip["source"] for clip in stored["clips"]] == ["demo-reel/match.mp4"] * 2
    assert (workplace / "goal-again.mp4").is_file()


def test_the_tutorials_positions_are_on_the_player_of_the_drawn_match() -> None:
    text = (DOCS / "tutorial.md").read_text()
    table = text[text.index("player = [") :]
    namespace: dict[str, list[tuple[float, float, float]]] = {}
    exec(table[: table.index("]") + 1], namespace)
    track = match_tracks().hero
    for time, x, y in namespace["player"]:
        seen = min(track, key=lambda s: abs(s.time - (4.0 + time)))
        assert abs(x - seen.x) < 0.5 * seen.height, f"at {time} s he is at x={seen.x:.0f}"
        assert abs(y - seen.y) < 0.5 * seen.height, f"at {time} s he is at y={seen.y:.0f}"
