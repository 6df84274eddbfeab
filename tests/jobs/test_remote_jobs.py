"""Jobs whose sources and outputs are elsewhere: the same results as from local files, and no more moved than needed."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import reelproc as rp
from faulty_s3 import Fault, S3Service
from file_server import FileServer
from long_match import long_match
from media_factory import run_ffmpeg
from reelproc import retries
from reelproc.job_context import JobContext
from reelproc.jobs import Job, run_job
from reelproc.results import RenderResult
from reelproc.storage import identity
from reelproc.storage.partial_file import PartialFile
from reelproc.storage.remote import SMALL_BYTES
from waiting import LONG


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", 4.0)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.02)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Footage of 40 s in four containers, large enough to be read by ranges."""
    folder = tmp_path_factory.mktemp("shelf")
    pictures = ["-f", "lavfi", "-i", "testsrc2=s=640x360:r=30:d=40", "-f", "lavfi", "-i", "sine=d=40"]
    encode = ["-c:v", "libx264", "-preset", "ultrafast", "-b:v", "4M", "-minrate", "4M", "-maxrate", "4M", "-g", "60"]
    padded = ["-bufsize", "1M", "-x264-params", "nal-hrd=cbr", "-pix_fmt", "yuv420p", "-c:a", "aac"]
    run_ffmpeg(*pictures, *encode, *padded, str(folder / "game.mp4"))
    for name, options in {
        "front.mp4": ["-movflags", "+faststart"],
        "game.mkv": [],
        "game.ts": [],
        "fragmented.mp4": ["-movflags", "+frag_keyframe+empty_moov"],
    }.items():
        run_ffmpeg("-i", str(folder / "game.mp4"), "-c", "copy", *options, str(folder / name))
    assert all(path.stat().st_size > 2 * SMALL_BYTES for path in folder.iterdir())
    return folder


def cut(
    source: str | Path,
    output: str | Path,
    *,
    start: float = 20.0,
    end: float = 23.0,
    size: tuple[int, int] = (180, 320),
) -> rp.RenderJob:
    """Crop a few seconds, without loss: what comes out is what was decoded, bit for bit."""
    crop = rp.Crop(keyframes=[rp.CropKeyframe(time=0, x=100, y=20, width=size[0], height=size[1])])
    clip = rp.Clip(source=source, start=start, end=end, stages=[crop])
    return rp.RenderJob(
        reel=rp.Reel(clips=[clip], output=rp.Output(width=size[0], height=size[1], crf=0)), output=output
    )


def frames(path: Path) -> list[bytes]:
    with rp.open_video(path) as video:
        return [frame.image.tobytes() for frame in video]


def run(job: Job, folder: Path) -> RenderResult:
    return run_job(job, JobContext(folder=folder))


@pytest.mark.parametrize("name", ["game.mp4", "front.mp4", "game.mkv", "game.ts", "fragmented.mp4"])
def test_a_render_by_ranges_equals_one_of_a_local_file(name: str, shelf: Path, tmp_path: Path) -> None:
    local, remote = tmp_path / "local.mp4", tmp_path / "remote.mp4"
    expected = run(cut(shelf / name, local), tmp_path / "a")
    with FileServer(shelf, secret="X-Amz-Signature=abcdef") as server:
        result = run(cut(server.url(name), remote), tmp_path / "b")
        moved = server.proxy.moved_bytes
    assert result.frame_count == expected.frame_count == 90
    assert frames(remote) == frames(local)
    assert result.phases["download"] > 0
    assert "abcdef" not in result.model_dump_json()
    if name != "fragmented.mp4":  # without an index all fragments must be looked at
        assert moved < (shelf / name).stat().st_size * 0.6
    assert [p.name for p in (tmp_path / "b" / "sources").rglob("*") if p.is_file()] == []


def test_a_plan_that_needs_most_of_a_source_downloads_it(shelf: Path, tmp_path: Path) -> None:
    job = rp.ExtractJob(source="x", output=tmp_path / "out.mp4", start=5.0, end=38.0, copy_codec=True)
    events: list[rp.Progress] = []
    with FileServer(shelf) as server:
        job = job.model_copy(update={"source": server.url("game.mp4")})
        run_job(job, JobContext(progress=events.append))
        moved, requests = server.proxy.moved_bytes, server.proxy.count("GET")
    size = (shelf / "game.mp4").stat().st_size
    assert size <= moved < size * 1.01
    assert requests < 20
    assert any(e.phase == "download" and e.done == e.total == size for e in events)


@pytest.mark.slow
def test_ten_seconds_of_a_three_gigabyte_match_move_a_few_megabytes(tmp_path: Path) -> None:
    match = long_match(tmp_path)
    size = match.stat().st_size
    assert size == 3_000_000_000
    with FileServer(tmp_path) as server:
        result = run(
            cut(server.url("match.mp4"), tmp_path / "out.mp4", start=2700.0, end=2710.0, size=(400, 700)),
            tmp_path / "job",
        )
        moved = server.proxy.moved_bytes
    assert result.frame_count == 300
    assert moved < size * 0.01, f"{moved:,} bytes"
    run(cut(match, tmp_path / "local.mp4", start=2700.0, end=2710.0, size=(400, 700)), tmp_path / "local")
    assert frames(tmp_path / "out.mp4") == frames(tmp_path / "local.mp4")


def test_a_server_without_ranges_is_downloaded_from(shelf: Path, tmp_path: Path) -> None:
    with FileServer(shelf, ranges=False, etag=False) as server:
        server.proxy.faults = [Fault("reset", times=2)]
        result = run(cut(server.url("game.mp4"), tmp_path / "out.mp4"), tmp_path / "job")
    assert result.frame_count == 90


def test_passing_faults_change_nothing(shelf: Path, tmp_path: Path) -> None:
    run(cut(shelf / "game.mp4", tmp_path / "local.mp4"), tmp_path / "a")
    with FileServer(shelf) as server:
        server.proxy.faults = [Fault(kind, times=2, after=1000) for kind in ("reset", "truncate", "error", "lost")]
        run(cut(server.url("game.mp4"), tmp_path / "remote.mp4"), tmp_path / "b")
        assert all(fault.times == 0 for fault in server.proxy.faults)
    assert frames(tmp_path / "remote.mp4") == frames(tmp_path / "local.mp4")


@pytest.mark.parametrize("on_damage", ["raise", "conceal"])
def test_a_source_that_breaks_off_while_it_is_decoded_is_never_taken_for_damage(
    on_damage: str, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.mp4"
    monkeypatch.setattr(
        "reelproc.render.source_fetch.DOWNLOAD_WHOLE_ABOVE", 2
    )  # so that the decoder, and not the plan, fetches the most
    files: list[PartialFile] = []

    class Watched(PartialFile):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            files.append(self)

    monkeypatch.setattr("reelproc.storage.remote.PartialFile", Watched)
    with FileServer(shelf) as server:

        def break_off(event: rp.Progress) -> None:
            if event.phase == "render":
                (partial,) = files
                partial._there = bytearray(len(partial._there))  # as if the plan had read nothing
                server.proxy.faults = [Fault("error", status=503, times=10**6)]

        job = cut(server.url("game.mp4"), output).model_copy(update={"on_damage": on_damage})
        with pytest.raises(rp.StorageError, match="cannot be read for now") as caught:
            run_job(job, JobContext(folder=tmp_path / "job", progress=break_off))
    assert caught.value.transient
    assert not output.exists()
    assert list((tmp_path / "job" / "segments").glob("*.json")) == [], "what was not fetched is no damage to remember"


def test_storage_away_from_the_start_names_the_address_and_no_secret(shelf: Path, tmp_path: Path) -> None:
    with FileServer(shelf, secret="X-Amz-Signature=abcdef") as server:
        server.proxy.faults = [Fault("error", status=503, times=10**6)]
        with pytest.raises(rp.StorageError, match=r"game\.mp4 cannot be read for now \(status 503\)") as caught:
            run(cut(server.url("game.mp4"), tmp_path / "out.mp4"), tmp_path / "job")
        assert "abcdef" not in repr(caught.value)
        server.proxy.faults = []
        with pytest.raises(rp.StorageError, match="presigned address may have expired"):
            run(cut(server.url("game.mp4").replace("abcdef", "000000"), tmp_path / "out.mp4"), tmp_path / "job")


def test_errors_about_a_source_name_its_address(tmp_path: Path) -> None:
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40_000)
    with FileServer(tmp_path) as server, pytest.raises(rp.ProbeError) as caught:
        run(cut(server.url("noise.mp4"), tmp_path / "out.mp4"), tmp_path / "job")
    assert f"{server.proxy.url}/noise.mp4" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://example.com/a.mp4", "https://me:pw@example.com/a.mp4", "https:///a.mp4", "https://h/a/../b.mp4"]
)
def test_an_address_that_is_not_safe_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(rp.SpecError) as caught:
        run(cut(address, tmp_path / "out.mp4"), tmp_path / "job")
    assert "pw" not in str(caught.value)


def test_nothing_is_written_to_the_web(shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(rp.SpecError, match="can be a source only"):
        run(cut(shelf / "game.mp4", "https://example.com/out.mp4"), tmp_path / "job")


# ---- on the local executor, from and to S3


@pytest.fixture
def game(s3: S3Service, shelf: Path) -> str:
    """The footage in the bucket."""
    return s3.put("games/game.mp4", (shelf / "game.mp4").read_bytes())


def test_a_job_from_s3_to_s3(s3: S3Service, game: str, shelf: Path, tmp_path: Path) -> None:
    output = f"s3://{s3.bucket}/reels/out.mp4"
    with rp.executor("local", folder=tmp_path / "jobs") as ex:
        handle = ex.submit(cut(game, output))
        events = list(handle.events())
        result = handle.result()
        job_folder = tmp_path / "jobs" / handle.id
    assert result.output == output
    assert result.phases["upload"] > 0
    assert result.phases["download"] > 0
    assert [e.phase for e in events][-2:] == ["upload", "done"]
    assert events[-1].message == output
    run(cut(shelf / "game.mp4", tmp_path / "local.mp4"), tmp_path / "local")
    (tmp_path / "remote.mp4").write_bytes(s3.get("reels/out.mp4"))
    assert frames(tmp_path / "remote.mp4") == frames(tmp_path / "local.mp4")
    assert s3.open_uploads() == []
    assert sorted(p.name for p in job_folder.iterdir() if p.is_dir()) == []


def test_a_complete_job_under_its_own_name_is_not_repeated(s3: S3Service, game: str, tmp_path: Path) -> None:
    job = cut(game, f"s3://{s3.bucket}/reels/out.mp4")
    with rp.executor("local", folder=tmp_path / "jobs") as ex:
        ex.submit(job, id="mine").result()
        before = s3.proxy.count("GET")
        ex.submit(job, id="mine").result()
        assert s3.proxy.count("GET") == before
        s3.put("reels/out.mp4", b"somebody else's")
        ex.submit(job, id="mine").result()
    assert s3.get("reels/out.mp4") != b"somebody else's"


def test_the_segments_of_a_remote_source_are_named_by_its_content(s3: S3Service, game: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        run(cut(game, tmp_path / f"{folder}.mp4"), tmp_path / folder)
    names = [sorted(p.name for p in (tmp_path / f / "segments").iterdir()) for f in ("one", "two")]
    assert names[0] == names[1]


def test_a_failed_upload_leaves_neither_object_nor_open_upload(s3: S3Service, game: str, tmp_path: Path) -> None:
    s3.proxy.faults = [Fault("error", method="PUT", status=403, code="AccessDenied", times=10**6)]
    with pytest.raises(rp.StorageError, match="may not do that"):
        run(cut(game, f"s3://{s3.bucket}/reels/out.mp4"), tmp_path / "job")
    assert s3.keys() == ["games/game.mp4"]
    assert s3.open_uploads() == []


def test_a_job_is_cancelled_while_it_downloads(s3: S3Service, game: str, tmp_path: Path) -> None:
    s3.proxy.faults = [Fault("slow", seconds=1.0, times=10**6)]
    with rp.executor("local", folder=tmp_path / "jobs") as ex:
        handle = ex.submit(cut(game, f"s3://{s3.bucket}/reels/out.mp4"))
        for event in handle.events():
            if event.phase == "download":
                break
        handle.cancel()
        with pytest.raises(rp.JobCancelledError):
            handle.result(timeout=LONG)
    assert s3.keys() == ["games/game.mp4"]
    assert s3.open_uploads() == []


@pytest.mark.parametrize("spelled", ["s3://{0}/{1}", "S3://{0}/{1}", "s3:///{1}"])
def test_no_source_is_written_over_however_it_is_spelled(
    s3: S3Service, game: str, tmp_path: Path, spelled: str
) -> None:
    bucket, _, key = game.removeprefix("s3://").partition("/")
    before, place = identity(game), spelled.format(bucket, key)
    copied = cut(game, tmp_path / "out.mp4").model_copy(update={"copies": (place,)})
    for job in (cut(game, place), copied):
        with pytest.raises(rp.SpecError, match="is a source of the job"):
            run(job, tmp_path / "job")
    assert identity(game) == before
    assert not (tmp_path / "out.mp4").exists()


def test_copies_are_tried_before_the_work_and_one_at_the_output_is_the_output(
    s3: S3Service, game: str, tmp_path: Path
) -> None:
    output = f"s3://{s3.bucket}/reels/goal #1?.mp4"
    job = cut(game, output, end=20.5)
    with pytest.raises(rp.StorageError, match="missing"):
        run(job.model_copy(update={"copies": ("s3://missing/a.mp4",)}), tmp_path / "job")
    assert s3.keys() == ["games/game.mp4"]
    result = run(job.model_copy(update={"copies": ("s3:///reels/goal #1?.mp4",)}), tmp_path / "job")
    assert result.output == output
    assert s3.keys() == ["games/game.mp4", "reels/goal #1?.mp4"]


def test_the_same_source_has_the_same_identity_and_another_another(s3: S3Service, game: str) -> None:
    before = identity(game)
    assert identity(game) == before
    s3.put("games/game.mp4", b"another")
    assert identity(game) != before


def test_a_reel_file_keeps_remote_sources_as_they_are(tmp_path: Path) -> None:
    reel = cut("s3://bucket/games/game.mp4", "out.mp4").reel
    rp.write_reel(reel, tmp_path / "reel.json")
    assert rp.read_reel(tmp_path / "reel.json") == reel
    assert json.loads((tmp_path / "reel.json").read_text())["clips"][0]["source"] == "s3://bucket/games/game.mp4"


def test_a_redirect_leads_nowhere_unprotected(tmp_path: Path) -> None:
    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://example.com/a.mp4?secret=1")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Redirect) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            with pytest.raises(rp.StorageError, match="redirects to an unprotected address"):
                run(cut(f"http://127.0.0.1:{server.server_address[1]}/a.mp4", tmp_path / "out.mp4"), tmp_path / "job")
        finally:
            server.shutdown()
            thread.join()


def test_a_plan_of_a_remote_source_needs_no_job(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    with FileServer(shelf) as server:
        reel = cut(server.url("game.mp4"), "out.mp4").reel
        assert rp.plan(reel).frame_count == 90
        requests = server.proxy.count("GET")
        assert rp.plan(reel).frame_count == 90
        assert server.proxy.count("GET") == requests + 1, "the second plan reads what the first has fetched"
