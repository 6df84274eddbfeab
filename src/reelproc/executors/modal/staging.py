"""Paths of this machine, for jobs that run elsewhere: uploaded by content before, fetched after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from reelproc import storage
from reelproc.errors import ObjectNotFoundError, SpecError
from reelproc.files import scratch_folder, sha256_of
from reelproc.jobs import Job
from reelproc.jobs.transfers import keep_sources

SEGMENTS = ".reelproc-segments"


@dataclass(frozen=True)
class Staged:
    """A job as Modal can do it.

    Attributes:
        job: with addresses for paths.
        output: where the caller wants the result, a path absolute; empty where there is none.
        names: the paths of this machine, by the addresses that the job has for them: what people are told.
        fetched_from: where its output is to be fetched from; empty where that is an address already, or there is none.
    """

    job: Job
    output: str
    names: Mapping[str, str]
    fetched_from: str = ""


class Staging:
    """A prefix in storage that stands between this machine and Modal.

    Args:
        prefix: ``s3://bucket/prefix``; None: there is none, and jobs with paths of this machine are refused.

    Raises:
        SpecError: the prefix is itself a path of this machine.
    """

    def __init__(self, prefix: str | None) -> None:
        if prefix is not None and storage.scheme_of(prefix) == "file":
            raise SpecError(f"staging is a prefix that Modal can reach, like s3://bucket/prefix, got {prefix!r}")
        self.prefix = prefix

    def staged(self, job: Job, name: str) -> Staged:
        """Upload the job's sources, and return it with addresses for paths.

        Raises:
            SpecError: it has paths, and there is no prefix; or its output is one of its sources.
            StorageError: a source cannot be read or uploaded.
        """
        output = job.destination()
        if output and storage.scheme_of(output) == "file":  # of addresses the container sees to that
            keep_sources(job.sources(), output, "the output", ("output",))
        _check_copies(job)
        addresses = (*job.sources(), *([output] if output else []))
        local = [address for address in addresses if storage.scheme_of(address) == "file"]
        if not local:
            return Staged(job, output, {})
        if self.prefix is None:
            raise SpecError(
                f"{local[0]!r} is a path of this machine, which Modal cannot reach; give s3:// addresses, or "
                "staging='s3://bucket/prefix' to have sources uploaded and the result fetched"
            )
        paths = {source: self._upload(source) for source in job.sources() if source in local}
        fetched_from = ""
        if output in local:
            place = storage.local_output(output)  # what cannot be written is better known before anything is rented
            fetched_from = storage.join(self.prefix, "outputs", name, place.name)
            paths[output] = fetched_from
            output = str(place)
        names = {address: path for path, address in paths.items()}
        return Staged(job.with_paths(paths), output, names, fetched_from)

    def store(self, job: Job) -> str:
        """Where the job's finished segments are kept while it is not done; empty where it has none."""
        output = job.destination()
        if not job.is_divisible or storage.scheme_of(output) != "s3":
            return ""
        if self.prefix is not None:
            return storage.join(self.prefix, SEGMENTS)
        return f"{output.rpartition('/')[0]}/{SEGMENTS}"

    def _upload(self, source: str) -> str:
        path = storage.resolve(source)
        digest = sha256_of(path)
        suffix = PurePosixPath(path.name).suffix
        address = storage.join(self.prefix or "", "sources", f"{digest}{suffix}")
        try:
            storage.identity(address)
        except ObjectNotFoundError:
            storage.publish(path, address, keep=True)
        return address


def _check_copies(job: Job) -> None:
    """Refuse local copies: a result is fetched to one path; its copies are made in the container."""
    for number, copy in enumerate(job.copy_destinations()):
        if storage.scheme_of(copy) == "file":
            raise SpecError(
                f"copies[{number}]: {copy!r} is a path of this machine, which Modal cannot reach; give an s3:// one",
                path=("copies", number),
            )


def fetch(address: str, destination: str) -> None:
    """Download a result to a path of this machine.

    Raises:
        StorageError: it is not there, or cannot be written.
    """
    with scratch_folder() as folder:
        storage.publish(storage.resolve(address, folder=folder), destination)
