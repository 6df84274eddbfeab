"""``s3://bucket/key``: Amazon S3, Cloudflare R2 and what speaks like them."""

from __future__ import annotations

import contextlib
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reelproc.errors import SpecError, StorageError
from reelproc.folders import cache_folder
from reelproc.retries import retried
from reelproc.storage.base import TransferCallback, no_progress
from reelproc.storage.remote import RemoteStorage, check_key, local_name
from reelproc.storage.remote_object import RemoteObject
from reelproc.storage.s3_client import client, default_bucket, translated_errors
from reelproc.storage.s3_upload import Upload

_ADDRESS = re.compile(r"s3://(?P<bucket>[^/]*)/(?P<key>.*)", re.IGNORECASE | re.DOTALL)
_MD5 = re.compile(r"[0-9a-f]{32}")
PIECE_BYTES = 256 << 10
COPY_BYTES = 5 << 30
"""S3 copies no larger object in one request."""


@dataclass(frozen=True)
class _S3Object(RemoteObject):
    bucket: str = ""
    key: str = ""
    etag: str = ""

    def read(self, start: int, end: int) -> Iterator[bytes]:
        if start >= end:
            return
        with translated_errors(self.address, "read"):
            answer = client().get_object(
                Bucket=self.bucket, Key=self.key, Range=f"bytes={start}-{end - 1}", IfMatch=self.etag
            )
            body = answer["Body"]
            with contextlib.closing(body):
                if answer["ETag"] != self.etag or answer.get("ContentRange") != f"bytes {start}-{end - 1}/{self.size}":
                    raise StorageError(
                        f"{self.address} answered with another object or range than was asked for", transient=True
                    )
                yield from body.iter_chunks(PIECE_BYTES)


class S3Storage(RemoteStorage):
    """Objects in buckets. Credentials and endpoint come from the environment: see :mod:`reelproc.storage.s3_client`."""

    def open(self, address: str) -> RemoteObject:
        """Return the object, by a HEAD request."""
        bucket, key = _parse(address)
        shown = f"s3://{bucket}/{key}"

        def head() -> _S3Object:
            with translated_errors(shown, "read"):
                found = client().head_object(Bucket=bucket, Key=key)
            etag, size = found["ETag"], found["ContentLength"]
            # with a customer's or a KMS key the ETag is no digest
            plain = found.get("ServerSideEncryption") in (None, "AES256") and "SSECustomerAlgorithm" not in found
            digest = etag.strip('"')
            return _S3Object(
                address=shown,
                size=size,
                identity=f"{shown}:{size}:{etag}",
                sha256=found.get("Metadata", {}).get("sha256"),
                md5=digest if plain and _MD5.fullmatch(digest) else None,
                bucket=bucket,
                key=key,
                etag=etag,
            )

        return retried(head)

    def local_output(self, address: str, *, folder: Path | None = None) -> Path:
        """Return a file in ``folder``; try that the object can be written by beginning an upload and giving it up."""
        bucket, key = _parse(address)
        Upload(bucket, key).try_out()
        place = folder or cache_folder() / "outputs" / uuid.uuid4().hex
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"no place for the file to upload: {error}; choose a folder that can be written"
            ) from error
        return place / local_name(f"s3://{bucket}/{key}")

    def publish(
        self, path: Path, address: str, *, keep: bool = False, progress: TransferCallback = no_progress
    ) -> None:
        """Upload, in parts where it is large, each verified; the object appears when all of it is there."""
        bucket, key = _parse(address)
        Upload(bucket, key).send(path, progress)
        if not keep:
            path.unlink(missing_ok=True)

    def remove(self, address: str) -> None:
        """Delete the object."""
        bucket, key = _parse(address)

        def delete() -> None:
            with translated_errors(f"s3://{bucket}/{key}", "removed"):
                client().delete_object(Bucket=bucket, Key=key)

        retried(delete)

    def canonical(self, address: str) -> str:
        """Return ``s3://bucket/key``, the bucket named."""
        bucket, key = _parse(address)
        return f"s3://{bucket}/{key}"

    def copy(self, address: str, destination: str) -> bool:
        """By one request, up to 5 GB."""
        bucket, key = _parse(address)
        to_bucket, to_key = _parse(destination)
        if self.open(address).size > COPY_BYTES:
            return False

        def ask() -> None:
            with translated_errors(f"s3://{to_bucket}/{to_key}", "written"):
                client().copy_object(Bucket=to_bucket, Key=to_key, CopySource={"Bucket": bucket, "Key": key})

        retried(ask)
        return True


def _parse(address: str) -> tuple[str, str]:
    """Bucket and key; the key is taken literally, without ``%`` escapes.

    Raises:
        SpecError: there is no bucket or no key, or the key climbs.
    """
    match = _ADDRESS.fullmatch(address)
    bucket = match["bucket"] or default_bucket() if match else None
    if match is None or not bucket:
        raise SpecError(f"expected s3://bucket/key (or s3:///key and R2_BUCKET_NAME), got {address!r}")
    if "@" in bucket or ":" in bucket:
        raise SpecError("a bucket's name has neither '@' nor ':'; credentials come from the environment, not addresses")
    return bucket, check_key(match["key"], address)
