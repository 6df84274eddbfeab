"""Storage that fails: passing faults are overcome, lasting ones are typed errors; nothing is lost or half-written.

Over real HTTP: a moto server, and a proxy in front of it that injects the faults (``tests/support/faulty_s3.py``).
"""

from __future__ import annotations

import hashlib
import math
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from clock import Clock
from faulty_s3 import KEY, SECRET, Fault, S3Service
from file_server import FileServer
from reelproc import retries, storage
from reelproc.errors import JobCancelledError, ObjectNotFoundError, SpecError, StorageError
from reelproc.storage.partial_file import PART_BYTES
from reelproc.storage.remote import RemoteStorage
from reelproc.storage.s3 import S3Storage

LARGE = 3 * PART_BYTES + 12_345
"""Bytes: four parts, the last of them short."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", 4.0)
    monkeypatch.setattr(retries, "FIRST_PAUSE_SECONDS", 0.02)


@pytest.fixture(scope="module")
def content() -> bytes:
    return os.urandom(LARGE)


@pytest.fixture
def source(s3: S3Service, content: bytes) -> str:
    """A large object that was uploaded by reelproc, so that its sha256 is known."""
    path = Path(os.environ["REELPROC_HOME"]).parent / "game.mp4"
    path.write_bytes(content)
    address = f"s3://{s3.bucket}/game.mp4"
    storage.publish(path, address)
    s3.proxy.seen.clear()
    return address


def made(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "made.mp4"
    path.write_bytes(content)
    return path


def leftovers(folder: Path) -> list[str]:
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]


READ_FAULTS = {
    "500": Fault("error", times=3),
    "503 SlowDown": Fault("error", status=503, code="SlowDown", times=3),
    "429": Fault("error", status=429, code="TooManyRequests"),
    "503 that breaks off": Fault("error", status=503, code="SlowDown", after=20, times=2),
    "a reset in mid-body": Fault("reset", times=4),
    "a reset before the body": Fault("reset", after=0, times=2),
    "a truncated body": Fault("truncate", times=3),
    "a wrong ETag": Fault("etag", times=2),
    "a lost answer": Fault("lost", times=2),
    "a flipped bit": Fault("flip"),
    "a failing HEAD": Fault("error", method="HEAD", status=503, times=2),
}


@pytest.mark.parametrize("fault", READ_FAULTS)
def test_a_download_survives(fault: str, s3: S3Service, source: str, content: bytes, tmp_path: Path) -> None:
    given = READ_FAULTS[fault]
    s3.proxy.faults = [Fault(**vars(given))]
    path = storage.resolve(source, folder=tmp_path / "work")
    assert s3.proxy.faults[0].times == 0, "the fault never struck"
    assert path.read_bytes() == content
    assert leftovers(tmp_path / "work") == [str(path.relative_to(tmp_path / "work"))]


WRITE_FAULTS = {
    "500 for a part": Fault("error", method="PUT", times=3),
    "503 SlowDown for all parts": Fault("error", method="PUT", status=503, code="SlowDown", times=6),
    "500 for the beginning": Fault("error", method="POST", query="uploads", times=2),
    "500 for the completion": Fault("error", method="POST", query="uploadId", times=2),
    "a completion whose answer is lost": Fault("lost", method="POST", query="uploadId"),
    "a part whose answer is lost": Fault("lost", method="PUT"),
    "a reset while a part is sent": Fault("swallow", method="PUT", times=2),
    "a part with another ETag": Fault("etag", method="PUT"),
    "a failing check": Fault("error", method="HEAD", status=500, times=2),
}


def test_an_attempt_whose_end_is_lost_is_over(s3: S3Service, tmp_path: Path) -> None:
    s3.proxy.faults = [Fault("lost", method="DELETE")]
    assert storage.local_output(f"s3://{s3.bucket}/reel.mp4", folder=tmp_path).parent == tmp_path
    assert s3.proxy.count("DELETE") == 2
    assert s3.open_uploads() == []


@pytest.mark.parametrize("fault", WRITE_FAULTS)
def test_an_upload_survives(fault: str, s3: S3Service, content: bytes, tmp_path: Path) -> None:
    s3.proxy.faults = [Fault(**vars(WRITE_FAULTS[fault]))]
    path = made(tmp_path, content)
    storage.publish(path, f"s3://{s3.bucket}/reel.mp4")
    assert s3.proxy.faults[0].times == 0, "the fault never struck"
    assert s3.get("reel.mp4") == content
    assert s3.open_uploads() == []
    assert not path.exists()


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_an_upload_that_fails_for_good_leaves_nothing(
    method: str, s3: S3Service, content: bytes, tmp_path: Path
) -> None:
    s3.put("reel.mp4", b"old")
    s3.proxy.faults = [Fault("error", method=method, query="uploadId", status=503, code="SlowDown", times=10**6)]
    path = made(tmp_path, content)
    with pytest.raises(StorageError, match="SlowDown") as caught:
        storage.publish(path, f"s3://{s3.bucket}/reel.mp4")
    assert caught.value.transient
    assert s3.get("reel.mp4") == b"old"
    assert s3.open_uploads() == []
    assert path.read_bytes() == content, "what could not be uploaded is still there"


@pytest.mark.parametrize("fault", [Fault("error", status=503, code="SlowDown"), Fault("error", status=429)])
@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("Fri, 31 Dec 2999 23:59:59 GMT", 20)])
def test_a_bucket_is_left_alone_as_long_as_it_asks(
    fault: Fault,
    asked: str,
    pause: float,
    s3: S3Service,
    source: str,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    s3.proxy.faults = [replace(fault, method=method, retry_after=asked) for method in ("GET", "PUT")]
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", 45.0)
    begin = clock.now
    storage.resolve(source, folder=tmp_path / "work")
    assert pause <= clock.now - begin < pause + 1
    begin = clock.now
    storage.publish(made(tmp_path, b"small"), f"s3://{s3.bucket}/reel.mp4")
    assert pause <= clock.now - begin < pause + 1
    assert s3.get("reel.mp4") == b"small"


@pytest.mark.parametrize(("asked", "pause"), [("7", 7), ("Fri, 31 Dec 2999 23:59:59 GMT", 20), ("soon", 0)])
def test_a_web_server_is_left_alone_as_long_as_it_asks(
    asked: str, pause: float, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", 45.0)
    (tmp_path / "game.mp4").write_bytes(b"video")
    with FileServer(tmp_path) as server:
        server.proxy.faults = [Fault("error", status=503, retry_after=asked)]
        begin = clock.now
        assert storage.resolve(server.url("game.mp4"), folder=tmp_path / "work").read_bytes() == b"video"
        assert server.proxy.count("GET") == 3, "one that failed, one for the first byte, one for all"
    assert pause <= clock.now - begin < pause + 1


REFUSALS = {
    "ExpiredToken": (400, "expired"),
    "InvalidAccessKeyId": (403, "access key is not known"),
    "SignatureDoesNotMatch": (403, "secret key does not fit"),
    "RequestTimeTooSkewed": (403, "clock is wrong"),
    "AccessDenied": (403, "may not do that"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_not_repeated_says_what_to_do_and_shows_no_secret(
    code: str, s3: S3Service, source: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    status, remedy = REFUSALS[code]
    caplog.set_level("INFO")
    s3.proxy.faults = [Fault("error", method=m, status=status, code=code, times=9) for m in ("GET", "PUT", "POST")]
    with pytest.raises(StorageError, match=remedy) as read:
        storage.resolve(source, folder=tmp_path / "work")
    with pytest.raises(StorageError, match=remedy) as tried:
        storage.local_output(f"s3://{s3.bucket}/reel.mp4", folder=tmp_path)
    with pytest.raises(StorageError, match=remedy) as written:
        storage.publish(made(tmp_path, b"small"), f"s3://{s3.bucket}/reel.mp4")
    for caught in (read, tried, written):
        assert not caught.value.transient
        assert KEY not in repr(caught.value)
        assert SECRET not in repr(caught.value)
        assert caught.value.__suppress_context__
    assert s3.proxy.count("PUT") == s3.proxy.count("POST") == 1
    assert leftovers(tmp_path / "work") == []
    assert KEY not in caplog.text
    assert SECRET not in caplog.text


def test_a_head_that_is_refused_says_what_it_can(s3: S3Service, source: str) -> None:
    s3.proxy.faults = [Fault("error", method="HEAD", status=403)]
    with pytest.raises(StorageError, match="check their permissions and this machine's clock"):
        storage.identity(source)


def test_storage_that_stays_away_is_given_up_in_time(
    s3: S3Service, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("R2_ENDPOINT_URL", "http://127.0.0.1:9")
    begin = clock.now
    with pytest.raises(StorageError, match="connection failed") as caught:
        storage.identity(f"s3://{s3.bucket}/game.mp4")
    assert caught.value.transient
    assert clock.now - begin < retries.DEADLINE_SECONDS


def test_damage_that_lasts_is_not_accepted(s3: S3Service, source: str, tmp_path: Path) -> None:
    s3.proxy.faults = [Fault("flip", times=10**6)]
    with pytest.raises(StorageError, match="arrived with sha256"):
        storage.resolve(source, folder=tmp_path / "work")
    assert leftovers(tmp_path / "work") == []


def test_an_object_that_others_uploaded_is_checked_by_its_etag(s3: S3Service, tmp_path: Path) -> None:
    address = s3.put("theirs.mp4", b"x" * 1000)
    s3.proxy.faults = [Fault("flip", times=10**6)]
    with pytest.raises(StorageError, match="arrived with md5"):
        storage.resolve(address, folder=tmp_path / "work")


def test_an_object_replaced_while_it_is_read_is_never_mixed(s3: S3Service, source: str, tmp_path: Path) -> None:
    opened = storage.open_source(source, folder=tmp_path / "work")
    with closing(opened), opened.open() as file:
        file.read(100)
        s3.put("game.mp4", b"\0" * LARGE)
        file.seek(-100, os.SEEK_END)
        with pytest.raises(StorageError, match="replaced by something else"):
            file.read()
        with pytest.raises(StorageError, match="replaced by something else"):
            opened.fetch()
    assert leftovers(tmp_path / "work") == []


def test_a_stopped_download_leaves_nothing(s3: S3Service, source: str, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        storage.resolve(source, folder=tmp_path / "work", progress=stop)
    assert leftovers(tmp_path / "work") == []


def test_a_stopped_upload_is_given_up_at_once(
    s3: S3Service, content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between attempts that would go on for ever."""
    monkeypatch.setattr(retries, "DEADLINE_SECONDS", math.inf)
    s3.proxy.faults = [Fault("error", method="PUT", status=503, times=10**6)]

    def stop(done: int, total: int) -> None:
        if s3.proxy.count("PUT") > 3:
            raise JobCancelledError("stopped")

    with pytest.raises(JobCancelledError):
        storage.publish(made(tmp_path, content), f"s3://{s3.bucket}/reel.mp4", progress=stop)
    assert s3.open_uploads() == []
    assert s3.keys() == []


def test_an_upload_tells_its_progress_type_and_digest(s3: S3Service, content: bytes, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    storage.publish(
        made(tmp_path, content), f"s3://{s3.bucket}/reel.mp4", progress=lambda done, total: told.append((done, total))
    )
    assert told[0] == (0, LARGE)
    assert told[-1] == (LARGE, LARGE)
    assert all(0 <= done <= total == LARGE for done, total in told)
    head = s3.client.head_object(Bucket=s3.bucket, Key="reel.mp4")
    assert head["ContentType"] == "video/mp4"
    assert head["Metadata"] == {"sha256": hashlib.sha256(content).hexdigest()}


def test_where_nothing_can_be_written_is_known_before_the_work(s3: S3Service, tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFoundError, match="no bucket"):
        storage.local_output("s3://no-such-bucket/reel.mp4", folder=tmp_path)
    storage.local_output(f"s3://{s3.bucket}/reel.mp4", folder=tmp_path)
    assert s3.open_uploads() == []
    assert s3.keys() == []


@pytest.mark.parametrize(
    "address",
    ["s3://b/", "s3://b", "s3://b/../c/x.mp4", "s3://b/a/../../x.mp4", "s3://b/a/./x.mp4", "s3://b/a/", "s3://b/..",
     "s3://key:secret@b/x.mp4"],
)  # fmt: skip
def test_a_key_that_climbs_or_names_nothing_is_refused(address: str, s3: S3Service, tmp_path: Path) -> None:
    for ask in (storage.resolve, storage.identity, storage.local_output, storage.remove):
        with pytest.raises(SpecError) as caught:
            ask(address)
        assert "secret" not in str(caught.value)
    assert s3.proxy.seen == []


@pytest.mark.parametrize("part", ["..", ".", "", "/etc/passwd", "a/../b", "a//b", "a/", "a\0b"])
def test_joining_leads_nowhere_else(part: str) -> None:
    with pytest.raises(SpecError):
        storage.join("s3://bucket/jobs", part)


def test_without_a_bucket_the_r2_one_is_meant(s3: S3Service, tmp_path: Path) -> None:
    s3.put("a.mp4", b"x")
    assert storage.resolve("s3:///a.mp4", folder=tmp_path).read_bytes() == b"x"


def test_half_of_the_r2_variables_is_a_mistake(s3: S3Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("R2_SECRET_ACCESS_KEY")
    with pytest.raises(SpecError, match="R2_SECRET_ACCESS_KEY is not"):
        storage.identity("s3://bucket/a.mp4")


def test_the_aws_chain_serves_where_r2_is_not_set(
    s3: S3Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    s3.put("a.mp4", b"x")
    for name in s3.environment:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3.proxy.url)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(StorageError, match="no credentials were found"):
        storage.identity(f"s3://{s3.bucket}/a.mp4")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    assert storage.resolve(f"s3://{s3.bucket}/a.mp4", folder=tmp_path).read_bytes() == b"x"


def test_a_whole_download_is_used_again(s3: S3Service, source: str, tmp_path: Path) -> None:
    assert isinstance(S3Storage(), RemoteStorage)
    storage.resolve(source, folder=tmp_path)
    moved = s3.proxy.moved_bytes
    storage.resolve(source, folder=tmp_path)
    assert s3.proxy.moved_bytes == moved
