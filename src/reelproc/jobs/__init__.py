"""What an executor can be asked to do: each kind of job holds its data and its work, and is found by its name."""

from __future__ import annotations

from reelproc.jobs.base import Job, WorkCounter, WorkT_co
from reelproc.jobs.chunk import ChunkJob
from reelproc.jobs.detect import DetectJob, DetectOptions
from reelproc.jobs.extract import ExtractJob, ExtractOptions
from reelproc.jobs.registry import JOBS, AnyJob, checked_job, job_from_json
from reelproc.jobs.render import RenderJob, RenderOptions
from reelproc.jobs.run import run_job

__all__ = [
    "JOBS",
    "AnyJob",
    "ChunkJob",
    "DetectJob",
    "DetectOptions",
    "ExtractJob",
    "ExtractOptions",
    "Job",
    "RenderJob",
    "RenderOptions",
    "WorkCounter",
    "WorkT_co",
    "checked_job",
    "job_from_json",
    "run_job",
]
