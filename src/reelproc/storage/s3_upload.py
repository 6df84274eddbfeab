"""One upload to S3: a single request, or parts side by side; whole or not at all, and verified."""

from __future__ import annotations

import base64
import hashlib
import io
import logging
import mimetypes
import os
import re
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reelproc.errors import ObjectNotFoundError, ReelprocError, StorageError
from reelproc.retries import retried
from reelproc.storage.base import TransferCallback
from reelproc.storage.s3_client import client, translated_errors

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

_log = logging.getLogger(__name__)

PART_BYTES = 8 << 20
MAX_PARTS = 10_000
WORKERS = 4
ABORT_SECONDS = 10
"""How long giving up an upload is tried: less than an executor's patience with a cancelled job."""

_TYPES = {".mkv": "video/x-matroska", ".ts": "video/mp2t", ".m4v": "video/mp4"}
_MD5 = re.compile(r"[0-9a-f]{32}(-\d+)?")


@dataclass(frozen=True)
class Upload:
    """Where a file goes."""

    bucket: str
    key: str

    @property
    def address(self) -> str:
        """For messages."""
        return f"s3://{self.bucket}/{self.key}"

    def try_out(self) -> None:
        """Find out whether an upload would be accepted: begin one in parts, which nobody sees, and give it up.

        Raises:
            StorageError: it would not.
        """
        self._abort(retried(lambda: self._begin({})))

    def send(self, path: Path, progress: TransferCallback) -> None:
        """Upload ``path``.

        Raises:
            StorageError: it is not there, or cannot be uploaded; what was at the address still is.
        """
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                _log.info("uploading %s to %s (%d bytes)", path, self.address, size)
                progress(0, size)
                if size <= PART_BYTES:
                    etag = self._put(file.fileno(), size, sha256, progress)
                else:
                    etag = self._put_parts(file.fileno(), size, sha256, progress)
        except ReelprocError:  # some are OSErrors, too
            raise
        except FileNotFoundError as error:
            raise StorageError(f"{path} is not there to be put at {self.address}: {error}") from error
        except OSError as error:
            raise StorageError(f"{path} cannot be read for {self.address}: {error}") from error
        self._verify(size, etag)
        progress(size, size)

    def _put(self, fd: int, size: int, sha256: str, progress: TransferCallback) -> str:
        data = os.pread(fd, size, 0)

        def put() -> str:
            with translated_errors(self.address, "written"):
                answer = client().put_object(
                    Bucket=self.bucket,
                    Key=self.key,
                    Body=data,
                    ContentMD5=_base64_md5(data),
                    ContentType=_content_type(self.key),
                    Metadata={"sha256": sha256},
                )
            return answer["ETag"]

        return retried(put, check=lambda: progress(0, size))

    def _put_parts(self, fd: int, size: int, sha256: str, progress: TransferCallback) -> str:
        step = max(PART_BYTES, -(-size // MAX_PARTS))
        starts = range(0, size, step)
        upload = retried(lambda: self._begin({"sha256": sha256}), check=lambda: progress(0, size))
        stop = threading.Event()
        sent = [0] * len(starts)

        def part(number: int) -> CompletedPartTypeDef:
            data = os.pread(fd, step, starts[number])

            def put() -> CompletedPartTypeDef:
                sent[number] = 0
                body = _Body(data, stop, lambda count: sent.__setitem__(number, count))
                with translated_errors(self.address, "written"):
                    answer = client().upload_part(
                        Bucket=self.bucket,
                        Key=self.key,
                        UploadId=upload,
                        PartNumber=number + 1,
                        Body=body,
                        ContentMD5=_base64_md5(data),
                    )
                self._check_part(data, answer["ETag"], answer.get("ServerSideEncryption"))
                sent[number] = len(data)
                return {"PartNumber": number + 1, "ETag": answer["ETag"]}

            return retried(put, check=lambda: _check_running(stop, self.address))

        try:
            with ThreadPoolExecutor(WORKERS, "reelproc-upload") as pool:
                try:
                    parts = [pool.submit(part, number) for number in range(len(starts))]
                    waiting = set(parts)
                    while waiting:
                        done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_COMPLETED)
                        for future in done:
                            future.result()
                        progress(sum(sent), size)
                except BaseException:
                    stop.set()
                    pool.shutdown(cancel_futures=True)
                    raise
            return self._complete(upload, [future.result() for future in parts], size, progress)
        except BaseException as error:
            try:
                self._abort(upload)
            except StorageError as second:
                error.add_note(f"and the upload begun at {self.address} could not be given up: {second}")
            raise

    def _begin(self, metadata: dict[str, str]) -> str:
        with translated_errors(self.address, "written"):
            answer = client().create_multipart_upload(
                Bucket=self.bucket, Key=self.key, ContentType=_content_type(self.key), Metadata=metadata
            )
        return answer["UploadId"]

    def _complete(self, upload: str, parts: list[CompletedPartTypeDef], size: int, progress: TransferCallback) -> str:
        digests = b"".join(bytes.fromhex(part["ETag"].strip('"')) for part in parts if _is_md5(part["ETag"]))
        expected = f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'
        attempts = 0

        def complete() -> str:
            nonlocal attempts
            attempts += 1
            try:
                with translated_errors(self.address, "written"):
                    answer = client().complete_multipart_upload(
                        Bucket=self.bucket, Key=self.key, UploadId=upload, MultipartUpload={"Parts": parts}
                    )
            except StorageError as error:
                # an attempt whose answer was lost may have succeeded: then there is no such upload any more
                if attempts > 1 and not error.transient and self._stored() == (size, expected):
                    return expected
                raise
            return answer["ETag"]

        return retried(complete, check=lambda: progress(size, size))

    def _abort(self, upload: str) -> None:
        def abort() -> None:
            with translated_errors(self.address, "given up"):
                client().abort_multipart_upload(Bucket=self.bucket, Key=self.key, UploadId=upload)

        with suppress(ObjectNotFoundError):  # it is no more: an attempt whose answer was lost has succeeded
            retried(abort, deadline_seconds=ABORT_SECONDS)

    def _stored(self) -> tuple[int, str]:
        with translated_errors(self.address, "read"):
            found = client().head_object(Bucket=self.bucket, Key=self.key)
        return found["ContentLength"], found["ETag"]

    def _verify(self, size: int, etag: str) -> None:
        stored = retried(self._stored)
        if stored != (size, etag):
            raise StorageError(
                f"{self.address} holds {stored[0]} bytes with ETag {stored[1]} after an upload of {size} with {etag}: "
                "somebody else wrote to it, or storage is at fault"
            )

    def _check_part(self, data: bytes, etag: str, encryption: str | None) -> None:
        if encryption in (None, "AES256") and _is_md5(etag) and etag.strip('"') != _md5(data).hexdigest():
            raise StorageError(f"a part of {self.address} arrived damaged", transient=True)


class _Body(io.BytesIO):
    """A part's bytes; says how far they are sent, and ends the request when the upload is stopped."""

    def __init__(self, data: bytes, stop: threading.Event, sent: Callable[[int], None]) -> None:
        super().__init__(data)
        self._stop = stop
        self._sent = sent

    def read(self, size: int | None = -1, /) -> bytes:
        if self._stop.is_set():
            raise InterruptedError("the upload was stopped")
        data = super().read(size)
        self._sent(self.tell())
        return data


def _check_running(stop: threading.Event, address: str) -> None:
    if stop.is_set():
        raise StorageError(f"the upload to {address} was stopped")


def _content_type(key: str) -> str:
    ending = Path(key).suffix.lower()
    return _TYPES.get(ending) or mimetypes.guess_type(f"name{ending}")[0] or "application/octet-stream"


def _md5(data: bytes) -> hashlib._Hash:
    return hashlib.md5(data, usedforsecurity=False)


def _base64_md5(data: bytes) -> str:
    return base64.b64encode(_md5(data).digest()).decode()


def _is_md5(etag: str) -> bool:
    return _MD5.fullmatch(etag.strip('"')) is not None
