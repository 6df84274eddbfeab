"""The example backend, over HTTP: limits, isolation, ranges, the queue, errors, and restarts in the middle."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import connect

import reelproc as rp
from backend.board import Board
from backend.requests import Draft
from backend.rows import Export, Source
from backend.settings import Settings
from backend.store import Store
from backend.users import Users
from backend_server import ServerProcess
from media_factory import numbered_video, tone
from processes import children, command_line
from waiting import LONG, eventually

SECONDS, WIDTH, HEIGHT = 4, 320, 180


class Client(httpx.Client):
    """Somebody with a cookie of their own."""

    def __init__(self, server: ServerProcess) -> None:
        super().__init__(base_url=server.url, timeout=LONG)
        answer = httpx.post(f"{server.url}/api/session", timeout=LONG)  # with self, it would be open before its block
        self.token: str = answer.json()["token"]
        self.cookies = answer.cookies

    def upload(self, path: Path, name: str = "match.mp4") -> dict[str, Any]:
        answer = self.post("/api/sources", params={"name": name}, content=path.read_bytes())
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def export(self, request: dict[str, Any], **headers: str) -> dict[str, Any]:
        answer = self.post("/api/exports", json=request, headers=headers)
        assert answer.status_code == 202, answer.text
        return dict(answer.json())

    def wait(self, job: str, until: Callable[[dict[str, Any]], bool] | None = None) -> dict[str, Any]:
        seen: dict[str, Any] = {}

        def there() -> bool:
            seen.update(self.get(f"/api/exports/{job}").json())
            return until(seen) if until else seen["status"] not in ("queued", "running")

        assert eventually(there), f"still {seen}"
        return seen


def draft(source: str, **more: Any) -> dict[str, Any]:
    return {"draft": {"source": source, "start": 0.5, "end": 1.5, "width": 90, "height": 160, **more}}


def slow(source: str) -> dict[str, Any]:
    """A reel that takes some seconds, so that something can happen in the middle."""
    speed = {"stage": "speed", "segments": [{"start": 0, "end": 3, "speed": 0.1}]}
    clip = {"source": source, "end": 3, "stages": [speed]}
    return {"reel": {"clips": [clip], "output": {"width": 720, "height": 1280}}}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "match.mp4"
    numbered_video(path, frame_count=SECONDS * 30, width=WIDTH, height=HEIGHT, sound=tone(SECONDS))
    return path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    limits = {"max_upload_bytes": 2_000_000, "max_upload_seconds": 60, "max_reel_seconds": 60, "queue_limit": 6}
    with ServerProcess(tmp_path_factory.mktemp("backend") / "data", user_queue_limit=4, **limits) as server:
        yield server


@pytest.fixture
def ann(server: ServerProcess) -> Iterator[Client]:
    with Client(server) as client:
        yield client


@pytest.fixture
def bob(server: ServerProcess) -> Iterator[Client]:
    with Client(server) as client:
        yield client


def refused(answer: httpx.Response, status: int, kind: str, path: list[str | int] | None = None) -> str:
    assert answer.status_code == status, answer.text
    error = answer.json()["error"]
    assert error["type"] == kind, error
    if path is not None:
        assert error["path"] == path, error
    return str(error["message"])


# ---- from upload to reel


def test_a_draft_becomes_a_reel_with_the_planned_frames(ann: Client, video: Path, tmp_path: Path) -> None:
    source = ann.upload(video)
    assert (source["seconds"], source["width"], source["height"], source["sound"]) == (SECONDS, WIDTH, HEIGHT, True)
    slowed = {"segments": [{"start": 0, "end": 1, "speed": 0.5}]}
    accepted = ann.export(draft(source["id"], title="Great control", speed=slowed))
    assert (accepted["status"], accepted["frames"], accepted["seconds"]) == ("queued", 45, 1.5)
    done = ann.wait(accepted["id"])
    assert done["status"] == "complete", done
    assert done["result"]["frame_count"] == 45
    (tmp_path / "reel.mp4").write_bytes(ann.get(done["file"]).content)
    with av.open(str(tmp_path / "reel.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 45
        assert (container.streams.video[0].width, container.streams.video[0].height) == (90, 160)
    assert [seen["id"] for seen in ann.get("/api/exports").json()] == [accepted["id"]]
    assert ann.delete(f"/api/exports/{done['id']}").status_code == 204
    refused(ann.get(f"/api/exports/{done['id']}"), 404, "ExportNotFound")
    assert ann.delete(f"/api/sources/{source['id']}").status_code == 204
    assert ann.get("/api/sources").json() == []


def test_a_draft_is_edited_in_the_sources_terms_and_rendered_in_the_stages() -> None:
    region = {"start_time": 3, "end_time": 5, "keyframes": [{"time": 4, "x": 1, "y": 2, "radius_x": 3, "radius_y": 4}]}
    made = Draft.model_validate(
        {
            "source": "s",
            "start": 2,
            "end": 6,
            "crop": {"keyframes": [{"time": 1, "x": 0, "y": 0, "width": 9, "height": 16}]},
            "spotlight": {"regions": [region]},
            "speed": {"segments": [{"start": 1, "end": 3, "speed": 0.5}, {"start": 7, "end": 8, "speed": 2}]},
        }
    ).reel()
    overlay, crop, speed, upscale = made.clips[0].stages
    assert isinstance(overlay, rp.Overlay)
    assert (overlay.regions[0].start_time, overlay.regions[0].keyframes[0].time) == (1, 2)
    assert isinstance(crop, rp.Crop)
    assert crop.keyframes[0].time == -1
    assert isinstance(speed, rp.Speed)
    assert [(s.start, s.end) for s in speed.segments] == [(0, 1)], "the part that is kept"
    assert isinstance(upscale, rp.Upscale)


def test_a_reel_and_its_sources_are_read_by_ranges(ann: Client, video: Path) -> None:
    source = ann.upload(video)
    done = ann.wait(ann.export(draft(source["id"]))["id"])
    for address, whole in ((source["file"], video.read_bytes()), (done["file"], ann.get(done["file"]).content)):
        part = ann.get(address, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole[100:200])
        assert part.headers["content-range"] == f"bytes 100-199/{len(whole)}"
        assert ann.get(address, headers={"Range": "bytes=-10"}).content == whole[-10:]
        assert ann.get(address, headers={"Range": f"bytes={len(whole)}-"}).status_code == 416
        etag = part.headers["etag"]
        changed = ann.get(address, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
        assert (changed.status_code, len(changed.content)) == (200, len(whole)), "another file than the range is of"
        assert ann.get(address, headers={"Range": "bytes=0-9", "If-Range": etag}).status_code == 206
    named = ann.get(done["file"], params={"download": True}).headers["content-disposition"]
    assert named.startswith("attachment")


# ---- what is refused


def test_uploads_are_limited_in_size_type_and_length(ann: Client, video: Path, tmp_path: Path) -> None:
    def post(name: str, content: bytes | Iterator[bytes]) -> httpx.Response:
        return ann.post("/api/sources", params={"name": name}, content=content)

    data = video.read_bytes()
    refused(post("match.exe", data), 415, "UnknownType", ["name"])
    refused(post("list.mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"), 415, "UnknownType")
    refused(post("torn.mp4", data[:4000]), 415, "ProbeError")
    refused(post("empty.mp4", b""), 422, "Empty")
    refused(post("large.mp4", data[:16] + bytes(2_000_001)), 413, "TooLarge")
    refused(post("endless.mp4", iter([data[:16], *[bytes(500_000)] * 5])), 413, "TooLarge")
    numbered_video(tmp_path / "long.mp4", frame_count=61, fps=1, width=64, height=64)
    refused(post("long.mp4", (tmp_path / "long.mp4").read_bytes()), 413, "TooLong")
    refused(ann.post("/api/sources", content=data), 422, "SpecError", ["name"])
    assert ann.get("/api/sources").json() == []


def test_nothing_is_left_of_an_upload_that_is_refused_or_breaks_off(server: ServerProcess, ann: Client) -> None:
    before = sorted((server.data / "uploads").iterdir())

    def broken() -> Iterator[bytes]:
        yield b"\0\0\0\x20ftypisom" + bytes(100_000)
        raise ConnectionError("the train has entered a tunnel")

    with pytest.raises(ConnectionError):
        ann.post("/api/sources", params={"name": "match.mp4"}, content=broken())
    assert eventually(lambda: sorted((server.data / "uploads").iterdir()) == before)


KEYFRAME_X: list[str | int] = ["crop", "keyframes", 0, "x"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"crop": {"keyframes": [{"time": 0, "x": "a", "y": 0, "width": 9, "height": 9}]}}, KEYFRAME_X),
        ({"crop": {"keyframes": [{"time": 0, "x": 0, "y": 0, "width": 9}]}}, ["crop", "keyframes", 0, "height"]),
        ({"spotlight": {"regions": [{"start_time": 1, "end_time": 2}]}}, ["spotlight", "regions", 0, "keyframes"]),
        ({"speed": {"segments": [{"start": 0, "end": 1, "speed": 99}]}}, ["speed", "segments", 0, "speed"]),
        ({"width": 91}, ["width"]),
        ({"fps": 240}, ["fps"]),
        ({"colour": "red"}, ["colour"]),
        ({"start": 1, "end": 1}, []),
        ({"start": 5, "end": 6}, ["start"]),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(ann: Client, video: Path, change: dict[str, Any], path: list[str | int]) -> None:
    request = draft(ann.upload(video)["id"], **change)
    message = refused(ann.post("/api/exports", json=request), 422, "SpecError", ["draft", *path])
    assert "/uploads/" not in message.replace("uploads/", "", 1), "where the server keeps its files is its own affair"


def test_a_reel_may_name_neither_files_of_the_server_nor_addresses(ann: Client, video: Path) -> None:
    own = ann.upload(video)["id"]

    def post(reel: dict[str, Any]) -> httpx.Response:
        return ann.post("/api/exports", json={"reel": reel})

    for source in ("/etc/passwd", "https://169.254.169.254/latest", "s3://bucket/key", str(video), f"../{own}"):
        refused(post({"clips": [{"source": source}]}), 404, "SourceNotFound", ["reel", "clips", 0, "source"])

    def with_stage(stage: dict[str, Any]) -> dict[str, Any]:
        return {"clips": [{"source": own, "stages": [stage]}]}

    stage = {"stage": "upscale", "model": "/tmp/evil.pth"}
    refused(post(with_stage(stage)), 422, "NotAllowed", ["reel", "clips", 0, "stages", 0, "model"])
    text = {"id": "a", "spec": {"text": "x", "font": "/etc/shadow"}}
    stage = {"stage": "text", "regions": [{"start_time": 0, "end_time": 1, "elements": [text]}]}
    refused(post(with_stage(stage)), 422, "NotAllowed", ["reel", "clips", 0, "stages", 0, "regions"])
    for output in ({"encoder": "libx265"}, {"preset": "placebo"}, {"width": 4000, "height": 4000}, {"fps": 120}):
        assert "reel" in refused(post({"clips": [{"source": own}], "output": output}), 422, "NotAllowed") or True
    slowest = {"stage": "speed", "segments": [{"start": 0, "end": 4, "speed": 0.1}]}
    refused(post({"clips": [{"source": own, "stages": [slowest]}] * 2}), 422, "TooLong", ["reel", "clips"])
    refused(post({"clips": [{"source": own}] * 21}), 422, "NotAllowed", ["reel", "clips"])
    refused(ann.post("/api/exports", json={}), 422, "SpecError")
    refused(ann.post("/api/exports", content=b"{{"), 422, "SpecError")


def test_nobody_reaches_what_is_somebody_elses(server: ServerProcess, ann: Client, bob: Client, video: Path) -> None:
    source = ann.upload(video)
    done = ann.wait(ann.export(draft(source["id"]))["id"])
    one = f"/api/exports/{done['id']}"
    for method, address in (
        ("GET", source["file"]),
        ("DELETE", f"/api/sources/{source['id']}"),
        ("GET", one),
        ("GET", f"{one}/file"),
        ("POST", f"{one}/cancel"),
        ("DELETE", one),
    ):
        assert bob.request(method, address).status_code == 404
        assert httpx.request(method, server.url + address).status_code == 401, "without a cookie"
    refused(bob.post("/api/exports", json=draft(source["id"])), 404, "SourceNotFound", ["draft", "source"])
    assert bob.get("/api/exports").json() == bob.get("/api/sources").json() == []
    user, _, signature = ann.token.partition(".")
    forged = ("1" if signature[0] == "0" else "0") + signature[1:]
    for token in (f"{user}.{forged}", f"{user}.", user, f"{bob.token.partition('.')[0]}.{signature}", "é.é"):
        answer = httpx.get(server.url + one, headers={"Authorization": f"Bearer {token}".encode()})
        assert answer.status_code == 401
    bearer = {"Authorization": f"Bearer {ann.token}"}
    assert httpx.get(server.url + one, headers=bearer).json()["status"] == "complete"
    assert ann.get(one).status_code == 200, "and nothing of it is gone"


def test_the_queue_is_bounded_for_all_and_for_each(ann: Client, bob: Client, video: Path) -> None:
    mine, his = ann.upload(video)["id"], bob.upload(video)["id"]
    jobs = [(ann, ann.export(slow(mine))["id"]) for _ in range(4)]
    answer = ann.post("/api/exports", json=slow(mine))
    refused(answer, 429, "TooManyExports")
    assert int(answer.headers["retry-after"]) > 0
    jobs += [(bob, bob.export(slow(his))["id"]) for _ in range(2)]
    answer = bob.post("/api/exports", json=slow(his))
    refused(answer, 503, "QueueFull")
    assert int(answer.headers["retry-after"]) > 0
    refused(ann.delete(f"/api/sources/{mine}"), 409, "InUse")
    refused(ann.delete(f"/api/exports/{jobs[3][1]}"), 409, "StillRunning")
    for client, job in reversed(jobs):
        assert client.post(f"/api/exports/{job}/cancel").status_code == 202
    for client, job in jobs:
        assert client.wait(job)["status"] == "cancelled"
    refused(ann.get(f"/api/exports/{jobs[0][1]}/file"), 409, "NotComplete")


def test_a_request_that_is_sent_twice_is_done_once(ann: Client, video: Path) -> None:
    source = ann.upload(video)["id"]
    first, second = (ann.export(draft(source), **{"Idempotency-Key": "k"})["id"] for _ in range(2))
    assert first == second
    other = ann.post("/api/exports", json=draft(source, title="other"), headers={"Idempotency-Key": "k"})
    refused(other, 409, "KeyInUse")
    ann.wait(first)
    assert len(ann.get("/api/exports").json()) == 1


# ---- progress


def follow(server: ServerProcess, client: Client, job: str) -> list[dict[str, Any]]:
    address = f"{server.url.replace('http', 'ws')}/api/exports/{job}/progress"
    with connect(address, additional_headers={"Authorization": f"Bearer {client.token}"}) as socket:
        return [json.loads(message) for message in socket]


def test_progress_rises_over_all_phases_to_the_end(server: ServerProcess, ann: Client, video: Path) -> None:
    job = ann.export(slow(ann.upload(video)["id"]))["id"]
    seen = follow(server, ann, job)
    assert seen[-1]["status"] == "complete"
    shares = [s["share"] for s in seen]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len({share for share in shares if 0.1 < share < 0.9}) > 3
    assert {"render", "done"} <= {s["phase"] for s in seen}
    assert [s["status"] for s in follow(server, ann, job)] == ["complete"], "of one that has ended: how"


def test_progress_is_nobody_elses_and_no_other_pages(
    server: ServerProcess, ann: Client, bob: Client, video: Path
) -> None:
    job = ann.wait(ann.export(draft(ann.upload(video)["id"]))["id"])["id"]
    address = f"{server.url.replace('http', 'ws')}/api/exports/{job}/progress"
    bearer = {"Authorization": f"Bearer {ann.token}"}
    for headers in ({}, {"Authorization": f"Bearer {bob.token}"}, {**bearer, "Origin": "https://evil.example"}):
        with pytest.raises((InvalidStatus, ConnectionClosedError)):
            with connect(address, additional_headers=headers) as socket:
                socket.recv()


def test_a_watcher_misses_nothing_between_looking_and_waiting() -> None:
    async def watch() -> None:
        board = Board()
        change = board.change("a")
        board.post("a", rp.Progress(phase="render"))
        await asyncio.wait_for(change, 1)
        late = board.change("a")
        board.forget("a", late)
        board.post("a", None)
        assert board.latest("a") is None

    asyncio.run(watch())


# ---- restarts and deaths


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[ServerProcess]:
    with ServerProcess(tmp_path / "data") as server:
        yield server


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_exports_go_on_after_a_restart(own_server: ServerProcess, video: Path, end: str) -> None:
    with Client(own_server) as client:
        source = client.upload(video)["id"]
        ids = [client.export(slow(source))["id"], *(client.export(draft(source))["id"] for _ in range(2))]
        client.wait(ids[0], lambda seen: seen["phase"] == "render")
        getattr(own_server, end)()
        for folder, name in (("uploads", "cut-short.part"), ("results", "nobodys.mp4")):
            (own_server.data / folder / name).write_bytes(b"left behind")
        own_server.start()
        for job in ids:
            done = client.wait(job)
            assert done["status"] == "complete", done
            assert done["attempts"] == 1, "attached to, not begun anew"
        assert len(list((own_server.data / "results").iterdir())) == 3
        assert len(list((own_server.data / "uploads").iterdir())) == 1
        left = own_server.data / "jobs"  # an export has ended a moment before its folder is gone
        assert eventually(lambda: not list(left.iterdir())), "nothing is left but the reels"


def test_a_server_that_is_watched_stops_at_once(own_server: ServerProcess, video: Path) -> None:
    with Client(own_server) as client:
        job = client.export(slow(client.upload(video)["id"]))["id"]
        address = f"{own_server.url.replace('http', 'ws')}/api/exports/{job}/progress"
        with connect(address, additional_headers={"Authorization": f"Bearer {client.token}"}) as socket:
            socket.recv()
            assert own_server.stop() in (0, -signal.SIGTERM), "though somebody watches, and for as long as they like"
    assert "Traceback" not in own_server.log.read_text()


def test_what_was_to_be_cancelled_when_the_server_died_is_cancelled(own_server: ServerProcess, video: Path) -> None:
    with Client(own_server) as client:
        ids = [client.export(slow(client.upload(video)["id"]))["id"] for _ in range(2)]
        client.wait(ids[0], lambda seen: seen["phase"] == "render")
        own_server.kill()
        with sqlite3.connect(own_server.data / "backend.sqlite3") as db:
            db.execute("UPDATE exports SET cancel = 1 WHERE id = ?", (ids[0],))
        db.close()
        own_server.start()
        assert client.wait(ids[0])["status"] == "cancelled"
        assert client.post(f"/api/exports/{ids[1]}/cancel").status_code == 202
        assert client.wait(ids[1])["status"] == "cancelled"


def worker_of(server: ServerProcess) -> int:
    """The process that renders: the server's child that is one."""
    # the oldest: its own child has its command line until it has become ffmpeg
    return min(child for child in children(server.pid) if "local.worker" in command_line(child))


def test_an_export_whose_worker_is_killed_is_tried_once_more(own_server: ServerProcess, video: Path) -> None:
    with Client(own_server) as client:
        job = client.export(slow(client.upload(video)["id"]))["id"]
        client.wait(job, lambda seen: seen["phase"] == "render")
        os.kill(worker_of(own_server), signal.SIGKILL)
        client.wait(job, lambda seen: seen["attempts"] == 2 and seen["phase"] == "render")
        os.kill(worker_of(own_server), signal.SIGKILL)
        done = client.wait(job)
        assert (done["status"], done["error"]["type"], done["attempts"]) == ("error", "JobLostError", 2)
        assert done["error"]["transient"]
        assert client.wait(client.export(draft(done["source"]))["id"])["status"] == "complete", "and life goes on"


def test_a_second_server_on_the_same_folder_refuses_to_start(own_server: ServerProcess) -> None:
    with pytest.raises(RuntimeError, match=r"uses .* already"):
        ServerProcess(own_server.data).start()


def test_without_room_on_the_disk_nothing_is_begun(tmp_path: Path, video: Path) -> None:
    with ServerProcess(tmp_path / "data", keep_free_bytes=1 << 60) as server, Client(server) as client:
        upload = client.post("/api/sources", params={"name": "match.mp4"}, content=video.read_bytes())
        refused(upload, 507, "DiskFull")
        refused(client.post("/api/exports", json=draft("any")), 507, "DiskFull")


# ---- the parts


def test_the_fewest_running_first_then_the_oldest(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")

    def export(job: str, user: str, created: float) -> None:
        row = Export(job, user, None, "", "", "s", "{}", 1, 1.0, created)
        store.add_export(row, limit=99, user_limit=99)

    for n in range(3):
        export(f"a{n}", "ann", n)
    export("b0", "bob", 9)
    claimed = [store.claim() for _ in range(5)]
    assert [c and c.id for c in claimed] == ["a0", "b0", "a1", "a2", None]
    assert store.finish("a0", "complete")
    assert not store.finish("a0", "error"), "an export ends once"
    assert store.requeue() == 3
    store.close()


def test_a_users_uploads_are_limited_together(tmp_path: Path) -> None:
    store = Store(tmp_path / "db")

    def source(job: str) -> Source:
        return Source(job, "ann", "match.mp4", f"/{job}", 60, 1.0, 2, 2, 30.0, 0, 0.0)

    store.add_source(source("one"), max_user_bytes=100)
    with pytest.raises(Exception, match="together"):
        store.add_source(source("two"), max_user_bytes=100)
    store.close()


def test_a_secret_outlives_the_server(tmp_path: Path) -> None:
    token = Users(tmp_path / "secret").new_token()
    assert Users(tmp_path / "secret").user(token) == token.partition(".")[0]
    assert Users(tmp_path / "other").user(token) is None
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_BACKEND_WORKERS", "3")
    assert Settings.from_environment().workers == 3
    monkeypatch.setenv("REELPROC_BACKEND_WORKERS", "many")
    with pytest.raises(rp.SpecError, match="workers"):
        Settings.from_environment()
