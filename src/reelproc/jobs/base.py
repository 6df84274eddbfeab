"""What a job is to those who run it: data, and the work that the data asks for."""

from __future__ import annotations

import abc
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol, Self, TypeVar, cast

from reelproc.errors import SpecError, StorageError
from reelproc.results import JobResult, RenderResult, ResultT_co
from reelproc.schema import Schema
from reelproc.storage import identity, scheme_of

if TYPE_CHECKING:
    from reelproc.job_context import JobContext, OnDamage
    from reelproc.reel import Reel

WorkT_co = TypeVar("WorkT_co", covariant=True)


class WorkCounter(Protocol[WorkT_co]):
    """Count work before anything is decoded. A job describes itself to it; see :meth:`Job.counted_by`."""

    def reel(
        self,
        reel: Reel,
        *,
        destination: str,
        on_damage: OnDamage = "raise",
        smart_copy: bool = True,
        strict: bool = False,
    ) -> WorkT_co:
        """Count the work of rendering ``reel``; the ending of ``destination`` names the container."""

    def copy(self, source: str, start: float, end: float | None) -> WorkT_co:
        """Count the work of copying the packets between two times, seconds; ``end`` None: to the end."""

    def detection(self, source: str, frame_count: int, *, model: str, image_size: int) -> WorkT_co:
        """Count the work of showing ``frame_count`` frames to a detector."""


class Job(Schema, Generic[ResultT_co]):
    """Base of all jobs. A subclass names its result, ``Job[MyResult]``, and its kind in a literal field ``job``.

    A job is JSON: it crosses processes and machines as text. :meth:`run` is called where the work is done.
    """

    is_divisible: ClassVar[bool] = False
    """Whether other workers can do parts of it (:meth:`run_part`)."""

    version: Literal[1] = 1

    job: str
    """Its kind, by which JSON and :data:`reelproc.jobs.JOBS` know it."""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check that the job says its kind and its result."""
        super().__pydantic_init_subclass__(**kwargs)
        if cls.__pydantic_generic_metadata__["origin"] is not None:  # Job[MyResult] itself
            return
        if not isinstance(cls.model_fields["job"].default, str):
            raise TypeError(f'the job {cls.__name__} has no kind; give it one: job: Literal["..."] = "..."')
        cls.result_type()

    @classmethod
    def result_type(cls) -> type[ResultT_co]:
        """Return the class of its result."""
        for base in cls.__mro__:
            metadata = getattr(base, "__pydantic_generic_metadata__", None)
            if metadata and metadata["origin"] is Job:
                (result,) = metadata["args"]
                if isinstance(result, type) and issubclass(result, JobResult):
                    return cast("type[ResultT_co]", result)
        raise TypeError(f"the job {cls.__name__} does not name its result, a JobResult: class {cls.__name__}(Job[...])")

    @abc.abstractmethod
    def run(self, context: JobContext) -> ResultT_co:
        """Do the job here and now.

        Args:
            context: opens the sources, by their addresses; is told of progress; stops a job that was cancelled.

        Raises:
            ReelprocError: what went wrong, typed; nothing is left at the destination.
        """

    def sources(self) -> tuple[str, ...]:
        """Return the addresses that it reads, each once, in order of appearance."""
        return ()

    def destination(self) -> str:
        """Return the address of the file that it writes; empty where all is in its result."""
        return ""

    def copy_destinations(self) -> Sequence[str]:
        """Return further addresses that the finished file is put at."""
        return ()

    def with_paths(self, paths: Mapping[str, str]) -> Self:
        """Return the job with other addresses, where ``paths`` has one.

        Every address of :meth:`sources` and :meth:`destination` may be replaced.
        """
        if any(address in paths for address in (*self.sources(), self.destination())):
            raise SpecError(f"{type(self).__name__} has addresses and no with_paths, which replaces them")
        return self

    @property
    def is_divided(self) -> bool:
        """Tell whether parts of it are to be done by other workers."""
        return False

    def run_part(self, segments: Sequence[int], store: str, context: JobContext) -> RenderResult:
        """Make some segments of a divisible job.

        Args:
            segments: their numbers.
            store: an address prefix, or a folder, that they are put under by the names of their content.
            context: as for :meth:`run`.

        Raises:
            SpecError: the job cannot be divided.
            ReelprocError: what went wrong, typed; segments that are finished are there.
        """
        raise SpecError(f"a job of the kind {self.job!r} cannot be divided")

    def counted_by(self, counter: WorkCounter[WorkT_co]) -> WorkT_co:
        """Describe the work to ``counter``, and return what it counts.

        Raises:
            SpecError: nothing is known of it.
        """
        raise SpecError(f"nothing is known of the work of a {type(self).__name__}")

    def plausible_result(self) -> ResultT_co:
        """Return a result such as it could have, without doing anything: for the mock executor.

        Raises:
            SpecError: it has none.
        """
        raise SpecError(f"a {type(self).__name__} has no plausible_result; give the mock its results")

    def content_hash(self) -> str:
        """Return a hex digest of the content; equal jobs have equal digests on every machine."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:32]

    def identity(self) -> str:
        """Return a hex digest of the content and of what the addresses mean on this machine, now.

        It changes when a source does (size, modification time or ETag) and, with relative paths, with the working
        folder. A source that cannot be looked at counts as that; running the job reports it.
        """
        parts = [self.model_dump_json()]
        for source in self.sources():
            try:
                parts.append(identity(source))
            except (StorageError, SpecError) as error:
                parts.append(type(error).__name__)
        if (output := self.destination()) and scheme_of(output) == "file":
            parts.append(str(Path(output).absolute()))
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
