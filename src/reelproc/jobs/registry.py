"""The kinds of jobs by name, and jobs from JSON."""

from __future__ import annotations

from typing import Annotated

from pydantic import TypeAdapter, ValidationError

from reelproc.errors import SpecError
from reelproc.jobs.base import Job
from reelproc.registered_models import Registered
from reelproc.registry import Registry
from reelproc.results import ResultT
from reelproc.validation_messages import spec_error

JOBS: Registry[type[Job]] = Registry("job", group="reelproc.jobs")
"""The kinds of jobs that JSON may name. An entry is a :class:`~reelproc.jobs.base.Job` class."""

_BUILT_IN = {"render": "RenderJob", "extract": "ExtractJob", "detect": "DetectJob", "chunk": "ChunkJob"}
for _name, _class in _BUILT_IN.items():
    JOBS.register(_name, f"reelproc.jobs.{_name}:{_class}")

_KINDS: Registered[Job] = Registered(Job, JOBS, tag="job")  # type: ignore[type-abstract]  # of its subclasses

AnyJob = Annotated[Job, _KINDS]
"""A field for a job of any kind."""

_ADAPTER: TypeAdapter[Job] = TypeAdapter(AnyJob)


def job_from_json(text: str | bytes) -> Job:
    """Return the job that ``text`` describes.

    Raises:
        SpecError: it describes none.
    """
    try:
        return _ADAPTER.validate_json(text)
    except ValidationError as error:
        raise spec_error(error, {*map(JOBS.get, _BUILT_IN), *_KINDS.read_models}) from None


def checked_job(job: Job[ResultT]) -> Job[ResultT]:
    """Return ``job`` itself, if workers can know its kind.

    Raises:
        SpecError: it is no job, or no package names its kind.
    """
    if not isinstance(job, Job):
        raise SpecError(
            f"a job is a RenderJob(reel=..., output=...), an ExtractJob or a DetectJob, got a {type(job).__name__}"
        )
    if job.job not in JOBS:
        raise SpecError(
            f"workers do not know the job {job.job!r}; name {type(job).__name__} in the entry points {JOBS.group!r} of "
            "its package"
        )
    return job
