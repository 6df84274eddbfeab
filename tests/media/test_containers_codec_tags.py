"""HEVC is ``hvc1`` in all MP4, M4V and MOV that is written: Apple plays no ``hev1``. ProRes keeps its kind."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

import reelproc as rp
from media_factory import numbered_video, run_ffmpeg
from reelproc.jobs import run_job

SOURCES = {
    "hvc1": ("a.mp4", ("-tag:v", "hvc1")),
    "hev1": ("b.mp4", ("-tag:v", "hev1")),
    "transport stream": ("c.ts", ()),
    "matroska": ("d.mkv", ()),
}


@pytest.fixture(scope="module", params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hevc")
    name, options = SOURCES[str(request.param)]
    made = numbered_video(folder / "n.mkv", frame_count=60, width=160, height=96)
    coded = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=30")
    run_ffmpeg("-i", str(made.path), *coded, *options, str(folder / name))
    return folder / name


def tag(path: Path) -> str:
    """The first sample entry's, as it stands in the file."""
    data = path.read_bytes()
    at = data.index(b"stsd")
    return data[at + 16 : at + 20].decode()


@pytest.mark.parametrize("suffix", [".mp4", ".m4v", ".mov"])
def test_a_copy_is_hvc1(source: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"o{suffix}"
    run_job(rp.ExtractJob(source=source, output=output, start=0, end=1, copy_codec=True))
    assert tag(output) == "hvc1"
    with av.open(str(output)) as container:
        assert sum(1 for _ in container.decode(video=0)) >= 30


def test_the_matroska_of_a_copy_is_whole(source: Path, tmp_path: Path) -> None:
    run_job(rp.ExtractJob(source=source, output=tmp_path / "o.mkv", copy_codec=True))
    assert rp.probe(tmp_path / "o.mkv", exact=True).frame_count == 60


@pytest.mark.parametrize(("suffix", "seconds"), [(".m4v", 1), (".mov", 1), (".mp4", 11)])  # 11: two are joined
def test_a_render_is_hvc1(tmp_path: Path, suffix: str, seconds: int) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=30 * seconds, width=64, height=64)
    clip = rp.Clip(source=made.path)
    output = rp.Output(width=64, height=64, encoder="libx265", preset="ultrafast")
    run_job(rp.RenderJob(reel=rp.Reel(clips=[clip], output=output), output=tmp_path / f"o{suffix}"))
    assert tag(tmp_path / f"o{suffix}") == "hvc1"


@pytest.mark.footage
def test_a_copy_of_the_case_is_hvc1(assets: Path, tmp_path: Path) -> None:
    job = rp.ExtractJob(
        source=assets / "cases/hevc_hvc1.mp4", output=tmp_path / "o.mp4", start=0, end=2, copy_codec=True
    )
    run_job(job)
    assert tag(tmp_path / "o.mp4") == "hvc1"


def test_sets_that_only_stand_among_the_pictures_stay_hev1(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "n.mkv", frame_count=30, width=160, height=96)
    coded = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:repeat-headers=1")
    run_ffmpeg("-i", str(made.path), *coded, "-tag:v", "hev1", str(tmp_path / "a.mp4"))
    data = bytearray((tmp_path / "a.mp4").read_bytes())
    data[data.index(b"hvcC") + 4 + 22] = 0  # the record lists no arrays
    (tmp_path / "b.mp4").write_bytes(data)
    run_job(rp.ExtractJob(source=tmp_path / "b.mp4", output=tmp_path / "o.mp4", copy_codec=True))
    assert tag(tmp_path / "o.mp4") == "hev1"
    assert rp.probe(tmp_path / "o.mp4", exact=True).frame_count == 30


@pytest.mark.parametrize("suffix", ["mov", "mkv"])
@pytest.mark.parametrize(("profile", "expected"), [("0", "apco"), ("2", "apcn"), ("3", "apch"), ("4", "ap4h")])
def test_a_copy_of_prores_is_of_its_kind(tmp_path: Path, profile: str, expected: str, suffix: str) -> None:
    source = tmp_path / f"a.{suffix}"
    picture = ("-f", "lavfi", "-i", "testsrc2=s=128x96:d=0.2")
    run_ffmpeg(*picture, "-c:v", "prores_ks", "-profile:v", profile, str(source))
    run_job(rp.ExtractJob(source=source, output=tmp_path / "o.mov", copy_codec=True))
    assert tag(tmp_path / "o.mov") == expected
