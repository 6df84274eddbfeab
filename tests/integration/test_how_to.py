"""The how-to pages do what they say: every block on them is run, against clips that are made here."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from doc_pages import DOCS, run_page
from faulty_s3 import S3Service
from media_factory import damage_packet, numbered_video, run_ffmpeg

DAMAGE = DOCS / "how-to" / "handle-damage.md"
S3 = DOCS / "how-to" / "s3-and-r2.md"
WITH_EXTRAS = {"detect-and-follow"}
"""Pages that need a heavy extra; the tests of that extra run them."""

PAGES = sorted(p for folder in ("how-to", "explanation") for p in (DOCS / folder).glob("*.md"))
PLAIN = [p for p in PAGES if p.stem not in {"index", *WITH_EXTRAS} and p not in (DAMAGE, S3)]


@pytest.fixture(scope="module")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the pages take for granted, ``game.mp4``: ten seconds of 1080p, a key frame a second, with sound."""
    folder = tmp_path_factory.mktemp("footage")
    run_ffmpeg(
        *("-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=30:duration=10", "-f", "lavfi", "-i", "sine=duration=10"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "30", "-c:a", "aac"),
        str(folder / "game.mp4"),
    )
    numbered_video(folder / "first.mp4", width=320, height=180)
    damage_packet(numbered_video(folder / "second.mp4"), folder / "damaged.mp4", 19)
    return folder


@pytest.fixture
def workplace(tmp_path: Path, footage: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with nothing but the footage, and a job store of its own."""
    folder = tmp_path / "work"
    folder.mkdir()
    for file in footage.iterdir():
        (folder / file.name).symlink_to(file)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    for name in ("REELPROC_STORAGE_ROOT", "REELPROC_COMPAT_EXECUTOR"):
        monkeypatch.setenv(name, "")  # a page may set it: it is taken back at the end
        monkeypatch.delenv(name)
    return folder


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", PLAIN, ids=lambda p: p.stem)
def test_a_page_runs_as_it_stands(page: Path) -> None:
    run_page(page)


@pytest.mark.usefixtures("workplace")
def test_the_page_about_damage_runs_and_meets_damage() -> None:
    page = run_page(DAMAGE)
    assert page["info"].frame_count < page["info"].packet_count
    assert len(page["video"].damage) > 0
    assert page["result"].frame_count == 30
    assert page["result"].warnings


@pytest.mark.usefixtures("workplace")
def test_the_page_about_s3_runs_against_a_server_here(s3: S3Service) -> None:
    page = run_page(S3)
    assert page["result"].frame_count == 90
    assert s3.keys() == ["games/game.mp4", "reels/first.mp4"]
    assert Path("again.mp4").read_bytes() == Path("game.mp4").read_bytes()


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(("page", "frame_count"), [(DOCS.parent / "README.md", 165), (DOCS / "index.md", 90)])
def test_the_first_python_that_people_meet_makes_what_it_says(page: Path, frame_count: int) -> None:
    run_page(page)
    with av.open("reel.mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == frame_count
    assert str(frame_count) in page.read_text()
