"""``reelproc put`` and ``reelproc get``: files to S3, and from S3 or the web."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reelproc.cli.common import common_options, say
from reelproc.cli.overwrite import force_option, job_of, writing
from reelproc.cli.progress import progress_bar
from reelproc.schema import Schema

if TYPE_CHECKING:
    from reelproc.results import ProgressCallback


class Moved(Schema):
    """What was moved.

    Attributes:
        source, destination: where from and to, without credentials or query.
        size_bytes: of the file.
        seconds: that it took, verification included.
        identity: of what lies at the remote end now.
    """

    source: str
    destination: str
    size_bytes: int
    seconds: float
    identity: str


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.argument("destination", metavar="s3://BUCKET/KEY")
@force_option
@common_options
def put(file: Path, destination: str, force: bool, as_json: bool) -> None:
    """Upload FILE to s3://BUCKET/KEY, in parts side by side, verified; it appears when all of it is there.

    A key that ends in "/" gets FILE's own name after it. "s3:///KEY" takes the bucket from R2_BUCKET_NAME.
    """
    from reelproc import storage
    from reelproc.errors import SpecError

    if storage.scheme_of(destination) == "file":
        raise SpecError(f"{destination!r} is on this machine; expected s3://bucket/key")
    if str(file) == "-":
        raise click.UsageError("an upload is read more than once, so it cannot be standard input; name a file")
    source = storage.resolve(file)
    if destination.endswith("/"):
        destination = storage.join(destination, source.name)
    begin, size = time.perf_counter(), source.stat().st_size
    job = job_of("put", source)
    with writing(destination, job=job, force=force), progress_bar(as_json=as_json) as show:
        storage.publish(source, destination, progress=_as_progress(show, "upload", source.name), keep=True)
    _report(str(source), destination, size, begin, storage.identity(destination), as_json=as_json)


@click.command()
@click.argument("source", metavar="SRC")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@force_option
@common_options
def get(source: str, file: Path, force: bool, as_json: bool) -> None:
    """Download SRC, s3://BUCKET/KEY or https://..., to FILE, in parts side by side, verified.

    FILE appears when all of it is there; a folder gets the source's own name in it.
    """
    from reelproc import storage
    from reelproc.errors import SpecError
    from reelproc.files import scratch_folder
    from reelproc.storage.remote import local_name

    if storage.scheme_of(source) == "file":
        raise SpecError(f"{source!r} is on this machine; expected s3://bucket/key or https://...")
    begin = time.perf_counter()
    destination = file / local_name(source) if file.is_dir() else file
    storage.local_output(destination)
    with (
        writing(destination, job=lambda: job_of("get", source), force=force),
        scratch_folder(beside=destination.absolute()) as work,
        progress_bar(as_json=as_json) as show,
    ):
        opened = storage.open_source(source, folder=work, progress=_as_progress(show, "download", destination.name))
        size, identity = opened.size, opened.identity
        with closing(opened):
            storage.publish(opened.fetch(), destination)
    _report(source, str(destination), size, begin, identity, as_json=as_json)


def _as_progress(show: ProgressCallback, phase: str, name: str) -> Callable[[int, int], None]:
    from reelproc.results import Progress

    return lambda done, total: show(Progress(phase=phase, done=done, total=total, message=name))


def _report(source: str, destination: str, size: int, begin: float, identity: str, *, as_json: bool) -> None:
    from reelproc.errors import shown_address

    seconds = max(time.perf_counter() - begin, 1e-6)
    moved = Moved(
        source=shown_address(source),
        destination=shown_address(destination),
        size_bytes=size,
        seconds=round(seconds, 4),
        identity=identity,
    )
    rate = size / seconds / 1e6
    text = f"{moved.destination}: {size:,} bytes from {moved.source}, in {seconds:.1f} s ({rate:.1f} MB/s)"
    say(moved, as_json=as_json, text=text)
