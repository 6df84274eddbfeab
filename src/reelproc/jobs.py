"""What an executor can be asked to do, as data, and the one function that does it.

A job is JSON: it crosses processes and machines as text, never as a closure. :func:`run_job` is called where the work
is done, by every executor.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, get_args

from pydantic import Field, TypeAdapter

from reelproc import storage
from reelproc.detectors.checkpoints import is_checkpoint_path
from reelproc.errors import OutOfMemoryError, SpecError, StorageError, shown_address
from reelproc.files import scratch_folder
from reelproc.job_context import Chunks, JobContext, OnDamage
from reelproc.machine.memory import MemoryWatch
from reelproc.reel import Reel, Source
from reelproc.schema import Fraction01, Items, Schema, Seconds, SecondsFromZero, Words, translated
from reelproc.storage import identity, scheme_of

if TYPE_CHECKING:
    from reelproc.render.rendering import Rendering
    from reelproc.results import JobResult
    from reelproc.timing import Time

__all__ = [
    "AnyJob",
    "ChunkJob",
    "DetectJob",
    "ExtractJob",
    "Job",
    "RenderJob",
    "job_from_json",
    "job_hash",
    "job_identity",
    "job_output",
    "job_sources",
    "run_job",
    "with_paths",
]

_log = logging.getLogger(__name__)


class RenderJob(Schema):
    """Make a reel.

    Attributes:
        reel: what to make.
        output: where to put it: a path, a ``file://`` address or ``s3://bucket/key``.
        on_damage: ``"raise"`` a DecodeError, or ``"conceal"`` with the last good frame, which the result reports.
        smart_copy: where the reel only draws on one clip (overlay, text, banner), in its own size and rate, copy the
            groups of pictures that nothing is drawn on bit for bit; where the source does not allow it, the result says
            so.
        strict: refuse the reel, instead of warning, where a stage has something outside its picture or its time: a
            spotlight that is nowhere to be seen, a crop that is moved far from its keyframes.
        chunks: into how many parts, at most, the plan's segments (about 10 s each) are divided, each done by a worker
            of its own: a process here, a container on Modal. ``"auto"``: as many as are likely to pay. Frames are the
            same, whatever it is.
        copies: further places that the finished result is put at.
    """

    version: Literal[1] = 1
    job: Literal["render"] = "render"
    reel: Reel
    output: Source
    on_damage: OnDamage = "raise"
    smart_copy: bool = True
    strict: bool = False
    chunks: Chunks = 1
    copies: Items[Source] = ()

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            reel: Reel,
            output: str | os.PathLike[str],
            on_damage: OnDamage = "raise",
            smart_copy: bool = True,
            strict: bool = False,
            chunks: int | Literal["auto"] = 1,
            copies: Sequence[str | os.PathLike[str]] = (),
            version: Literal[1] = 1,
            job: Literal["render"] = "render",
        ) -> None: ...


class ExtractJob(Schema):
    """Cut a span out of a source, in its own size, rate and timestamps.

    Attributes:
        source, output: where from and to.
        start, end: seconds of the source; ``end`` None: to its end.
        copy_codec: True copies the streams without re-encoding, from the key frame at or before ``start``; the result
            says what was really cut. False (default) is exact to the frame.
        on_damage, smart_copy: as for :class:`RenderJob`; with smart copy only the groups of pictures that start or end
            cut into are encoded again.
    """

    version: Literal[1] = 1
    job: Literal["extract"] = "extract"
    source: Source
    output: Source
    start: SecondsFromZero = 0.0
    end: Seconds | None = None
    copy_codec: bool = False
    on_damage: OnDamage = "raise"
    smart_copy: bool = True

    def model_post_init(self, _context: object, /) -> None:
        """Check that there is a span."""
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"a span ends after it starts, got start={self.start:g}, end={self.end:g}")

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            source: str | os.PathLike[str],
            output: str | os.PathLike[str],
            start: Time = 0.0,
            end: Time | None = None,
            copy_codec: bool = False,
            on_damage: OnDamage = "raise",
            smart_copy: bool = True,
            version: Literal[1] = 1,
            job: Literal["extract"] = "extract",
        ) -> None: ...


class DetectJob(Schema):
    """Find the players in some frames of a source.

    Attributes:
        source: the footage.
        times: seconds of the source; at each, the frame whose time is nearest is looked at, the earlier on a tie.
        frames: instead of ``times``: ordinals in order of display, from 0, of the frames that the file promises.
        confidence: what the model is less sure of is left out.
        classes: which of the model's classes count; ``"person"`` means the model's person, whatever it calls it.
        model: a path or an address of a checkpoint, or a name: ``NAME.pt`` in the weights folder of whoever does it.
        backend: a name in :data:`reelproc.detectors.DETECTORS`.
        trust: load a checkpoint that reelproc does not know, which can run any code that its maker put into it.
        image_size: pixels of the longer side in which the model sees a frame; a multiple of 32.
        on_damage: at a frame that cannot be decoded ``"raise"`` a DecodeError, or ``"conceal"``: look at the last good
            one, which the result reports.
    """

    version: Literal[1] = 1
    job: Literal["detect"] = "detect"
    source: Source
    times: Annotated[Items[Seconds], Field(min_length=1)] | None = None
    frames: Annotated[Items[Annotated[int, Field(ge=0)]], Field(min_length=1)] | None = None
    confidence: Fraction01 = 0.5
    classes: Annotated[Items[Words], Field(min_length=1)] = ("person",)
    model: Source = "yolov8x"
    backend: Words = "ultralytics"
    trust: bool = False
    image_size: Annotated[int, Field(ge=32, le=4096, multiple_of=32)] = 640
    on_damage: OnDamage = "raise"

    if TYPE_CHECKING:  # what may be given is more than what is kept

        def __init__(
            self,
            *,
            source: str | os.PathLike[str],
            times: Sequence[Time] | None = None,
            frames: Sequence[int] | None = None,
            confidence: float = 0.5,
            classes: Sequence[str] = ("person",),
            model: str | os.PathLike[str] = "yolov8x",
            backend: str = "ultralytics",
            trust: bool = False,
            image_size: int = 640,
            on_damage: OnDamage = "raise",
            version: Literal[1] = 1,
            job: Literal["detect"] = "detect",
        ) -> None: ...

    def model_post_init(self, _context: object, /) -> None:
        """Check that there is one way to say which frames."""
        if (self.times is None) == (self.frames is None):
            got = "neither" if self.times is None else "both"
            raise ValueError(f"a detection names its frames by times or by frames, got {got}")


class ChunkJob(Schema):
    """Make some segments of a render, for the job that puts it together. Executors submit it; you need not.

    Attributes:
        render: the whole.
        segments: which of its plan's segments, by number.
        output: an address prefix, or a folder, that they are put under by the names of their content.
    """

    version: Literal[1] = 1
    job: Literal["chunk"] = "chunk"
    render: RenderJob
    segments: tuple[int, ...]
    output: Source


Job = RenderJob | ExtractJob | DetectJob | ChunkJob
"""Whatever an executor can be asked to do."""

AnyJob = Annotated[Job, Field(discriminator="job")]
_ADAPTER: TypeAdapter[Job] = TypeAdapter(AnyJob)


def job_from_json(text: str | bytes) -> Job:
    """The job that ``text`` describes.

    Raises:
        SpecError: it describes none.
    """
    with translated(*get_args(Job)):
        return _ADAPTER.validate_json(text)


def job_hash(job: Job) -> str:
    """A hex digest of the job's content; equal jobs have equal hashes on every machine."""
    return hashlib.sha256(job.model_dump_json().encode()).hexdigest()[:32]


def job_sources(job: Job) -> tuple[str, ...]:
    """The addresses that ``job`` reads, each once, in order of appearance: footage, then a checkpoint that is one."""
    if isinstance(job, ChunkJob):
        return job_sources(job.render)
    if isinstance(job, RenderJob):
        return tuple(dict.fromkeys(clip.source for clip in job.reel.clips))
    if isinstance(job, DetectJob) and is_checkpoint_path(job.model):
        return (job.source, job.model)
    return (job.source,)


def job_output(job: Job) -> str:
    """The address that ``job`` writes; empty where all is in its result."""
    return "" if isinstance(job, DetectJob) else job.output


def job_identity(job: Job) -> str:
    """A hex digest of the job's content and of what its addresses mean on this machine, now.

    It changes when a source does (size, modification time or ETag) and, with relative paths, with the working folder.
    A source about which nothing can be learned counts as that; running the job is what reports it.

    Raises:
        SpecError: it is no job.
    """
    if not isinstance(job, RenderJob | ExtractJob | DetectJob | ChunkJob):
        raise SpecError(
            f"a job is a RenderJob(reel=..., output=...), an ExtractJob or a DetectJob, got a {type(job).__name__}"
        )
    parts = [job.model_dump_json()]
    for source in job_sources(job):
        try:
            parts.append(identity(source))
        except (StorageError, SpecError) as error:
            parts.append(type(error).__name__)
    if (output := job_output(job)) and scheme_of(output) == "file":
        parts.append(str(Path(output).absolute()))
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def run_job(job: Job, context: JobContext | None = None) -> JobResult:
    """Do ``job`` here and now, in this process.

    Raises:
        ReelprocError: whatever went wrong, typed.
    """
    begin = time.perf_counter()
    _log.info("%s starts: %s -> %s", job.job, _shown(job_sources(job)), shown_address(job_output(job)) or "its result")
    with MemoryWatch() as memory:
        try:
            result = _dispatch(job, context or JobContext())
        except MemoryError as error:
            if isinstance(error, OutOfMemoryError):
                raise
            raise OutOfMemoryError("the job needs more memory than there is; use a smaller output") from error
    _log.info("%s ended after %.2f s, %d frames", job.job, time.perf_counter() - begin, result.frame_count)
    return result.model_copy(update={"peak_memory_bytes": memory.peak_bytes})


def _shown(sources: Sequence[str]) -> str:
    return ", ".join(map(shown_address, sources[:3])) + (f" and {len(sources) - 3} more" if len(sources) > 3 else "")


def _dispatch(job: Job, context: JobContext) -> JobResult:
    from reelproc.render.transfers import with_transfers

    def work(path: str, context: JobContext) -> JobResult:
        return _do(job.model_copy(update={"output": path}) if output else job, context)

    output = "" if isinstance(job, ChunkJob) else job_output(job)  # a chunk puts its segments in place itself
    return with_transfers(job_sources(job), output, context, work, _copies(job))


def _copies(job: Job) -> Sequence[str]:
    """Where else the result shall be, tried before the work.

    Raises:
        SpecError: it would replace a source.
        StorageError: nothing can be written there.
    """
    if not isinstance(job, RenderJob) or not job.copies:
        return ()
    from reelproc.render.transfers import keep_sources

    with scratch_folder() as folder:
        for number, copy in enumerate(job.copies):
            keep_sources(job_sources(job), copy, "the copy", ("copies", number))
            storage.local_output(copy, folder=folder)
    # a file may share its inode with the output now, and not once that is renamed into place; onto itself is no copy
    return [copy for copy in job.copies if scheme_of(copy) == "file" or not storage.same(copy, job.output)]


def with_paths(job: Job, paths: Mapping[str, str]) -> Job:
    """Return ``job`` with other addresses, where ``paths`` has one."""
    if isinstance(job, DetectJob):
        places = {"source": paths.get(job.source, job.source), "model": paths.get(job.model, job.model)}
        return job.model_copy(update=places)
    if isinstance(job, ChunkJob):
        render = with_paths(job.render, paths)
        return job.model_copy(update={"render": render})
    output = paths.get(job.output, job.output)
    if isinstance(job, RenderJob):
        clips = tuple(
            clip.model_copy(update={"source": paths.get(clip.source, clip.source)}) for clip in job.reel.clips
        )
        return job.model_copy(update={"reel": job.reel.model_copy(update={"clips": clips}), "output": output})
    return job.model_copy(update={"source": paths.get(job.source, job.source), "output": output})


def _do(job: Job, context: JobContext) -> JobResult:
    if isinstance(job, DetectJob):
        from reelproc.detectors.run import detect

        return detect(job, context)
    if isinstance(job, ChunkJob):
        return _rendering(job.render, context).segments(job.segments, job.output)
    from reelproc.render.destination import Destination

    destination = Destination.at(job.output)
    if isinstance(job, RenderJob):
        return _rendering(job, context).to(destination, chunks=job.chunks)
    from reelproc.render.extraction import extract_copied, extract_exactly
    from reelproc.render.stream_copy import SourceSpan

    wanted = SourceSpan(job.source, job.start, job.end)
    if job.copy_codec:
        return extract_copied(wanted, destination, context)
    return extract_exactly(wanted, destination, on_damage=job.on_damage, smart_copy=job.smart_copy, context=context)


def _rendering(job: RenderJob, context: JobContext) -> Rendering:
    from reelproc.render.rendering import Rendering

    return Rendering.of(
        job.reel, on_damage=job.on_damage, smart_copy=job.smart_copy, strict=job.strict, context=context
    )
