"""The how-to pages do what they say: every block on them is run, on the demo's match."""

from __future__ import annotations

import importlib
import shutil
from pathlib import Path

import av
import pytest

from doc_pages import DOCS, check_parses, commands_on, pictures_on, run_page
from faulty_s3 import S3Service
from media_factory import run_ffmpeg
from reelproc.demo.match import MATCH_CLIP, match_tracks
from reelproc.demo.reel import match_reel
from reelproc.reel_file import write_reel

DAMAGE = DOCS / "how-to" / "handle-damage.md"
S3 = DOCS / "how-to" / "s3-and-r2.md"
WITH_EXTRAS = {"detect-and-follow"}
"""Pages that need a heavy extra; the tests of that extra run them."""
ANY_SIZE = {"annotation-tables", "join-clips"}
"""Pages that render in the game's own size, and say nothing of it: theirs is a third as wide and high."""

pytestmark = pytest.mark.timeout(3600)
"""Pages render for up to a minute of a processor that others may use."""

FOLDERS = ("how-to", "explanation")
PAGES = sorted([*(p for f in FOLDERS for p in (DOCS / f).glob("*.md")), DOCS / "coming-from.md"])
PLAIN = [p for p in PAGES if p.stem not in {"index", *WITH_EXTRAS} and p not in (DAMAGE, S3)]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's folder, as far as pages use it: the drawn match, and its reel as data."""
    folder = tmp_path_factory.mktemp("footage") / "demo-reel"
    folder.mkdir()
    shutil.copyfile(MATCH_CLIP, folder / "match.mp4")
    write_reel(match_reel(match_tracks(), "match.mp4"), folder / "reel.json")
    return folder


@pytest.fixture(scope="module")
def small_game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The match in 640x360."""
    path = tmp_path_factory.mktemp("small") / "game.mp4"
    run_ffmpeg("-i", str(MATCH_CLIP), "-vf", "scale=640:360", "-preset", "ultrafast", "-c:a", "copy", str(path))
    return path


@pytest.fixture
def workplace(tmp_path: Path, demo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder as the how-to index has its readers make one, and a job store of its own."""
    folder = tmp_path / "work"
    (folder / "demo-reel").mkdir(parents=True)
    for file in demo.iterdir():
        shutil.copyfile(file, folder / "demo-reel" / file.name)
    shutil.copyfile(demo / "match.mp4", folder / "game.mp4")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path / "home"))
    for name in ("REELPROC_STORAGE_ROOT", "REELPROC_COMPAT_EXECUTOR"):
        monkeypatch.setenv(name, "")  # a page may set it: it is taken back at the end
        monkeypatch.delenv(name)
    return folder


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize("page", PLAIN, ids=lambda p: p.stem)
def test_a_page_runs_as_it_stands(page: Path, small_game: Path) -> None:
    if page.stem in ANY_SIZE:
        shutil.copyfile(small_game, "game.mp4")
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
    page = run_page(S3, everything=True)
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


READMES = [DOCS.parent / "README.md", DOCS.parent / "examples" / "backend" / "README.md"]
EVERYWHERE = [*READMES, *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("page", EVERYWHERE, ids=lambda p: p.relative_to(DOCS.parent).as_posix())
def test_every_command_on_every_page_is_one_that_the_program_takes(page: Path) -> None:
    for command in commands_on(page):
        check_parses(command)


DRAWN = [(page, name, code) for page in sorted(DOCS.rglob("*.md")) for name, code in pictures_on(page)]


@pytest.mark.usefixtures("workplace")
@pytest.mark.parametrize(("page", "name", "code"), DRAWN, ids=[f"{page.stem}-{name}" for page, name, _ in DRAWN])
def test_every_picture_of_the_documentation_can_be_drawn(
    page: Path, name: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(DOCS / "_ext"))
    picture = importlib.import_module("drawing").drawn(code, Path.cwd())
    assert 300 <= picture.width <= 1600
    assert picture.getextrema()[0][1] > 100, f"{name} of {page} is dark"
