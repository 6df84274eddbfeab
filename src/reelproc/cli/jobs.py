"""``reelproc jobs``: the jobs of this machine, and the folders that they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reelproc.cli.common import common_options, say
from reelproc.cli.completion import job_ids
from reelproc.cli.groups import Group
from reelproc.schema import Schema

if TYPE_CHECKING:
    from pathlib import Path

    from reelproc.executors.local.job_list import JobEntry

_FINAL_STATUSES = ("complete", "error", "cancelled", "unreadable")


class Removed(Schema):
    """What ``jobs clean`` and ``jobs rm`` removed.

    Attributes:
        jobs: their ids.
        size_bytes: of their folders.
    """

    jobs: tuple[str, ...]
    size_bytes: int


@click.group(cls=Group, invoke_without_command=True)
@common_options
@click.pass_context
def jobs(context: click.Context, as_json: bool) -> None:
    """List the jobs of this machine, and remove what they leave. Without a command: list them.

    A job is "queued", "running", "interrupted" (reelproc attach ID goes on with it), "complete", "error" or
    "cancelled". The folders of former jobs are removed by themselves after a week. Jobs on Modal are not among them.
    """
    if context.invoked_subcommand is None:
        context.invoke(list_jobs, as_json=as_json)


@jobs.command(name="list")
@common_options
def list_jobs(as_json: bool) -> None:
    """List the jobs, the newest first."""
    from reelproc.executors.local.job_list import JobList

    found = JobList(folder=str(_root()), jobs=tuple(_listed()))
    lines = [f"{'state':11} {'age':>7} {'size':>9}  id and output"]
    lines += [
        f"{entry.state:11} {_age(entry.age_seconds):>7} {_size(entry.size_bytes):>9}  {entry.id}"
        + (f"  {entry.output}" if entry.output else "")
        for entry in found.jobs
    ]
    say(found, as_json=as_json, text="\n".join(lines) if found.jobs else f"there are no jobs in {found.folder}")


@jobs.command()
@click.option("--older", type=click.FloatRange(0), metavar="DAYS", help="Only those that were submitted before that.")
@click.option("--interrupted", is_flag=True, help="Those, too, that reelproc attach could go on with.")
@common_options
def clean(older: float | None, interrupted: bool, as_json: bool) -> None:
    """Remove the folders of jobs that have ended; never of one that runs, and no result.

    A job that was submitted under an id of its own is done again when it is submitted again.
    """
    states = (*_FINAL_STATUSES, "interrupted") if interrupted else _FINAL_STATUSES
    age = 86400 * (older or 0)
    _remove([entry for entry in _listed() if entry.state in states and entry.age_seconds >= age], as_json=as_json)


@jobs.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True, shell_complete=job_ids)
@common_options
def rm(ids: tuple[str, ...], as_json: bool) -> None:
    """Remove the folders of the jobs ID, whatever became of them; one that runs is refused."""
    from reelproc.errors import ObjectNotFoundError, SpecError

    known = {entry.id: entry for entry in _listed()}
    for job in ids:
        if job not in known:
            raise ObjectNotFoundError(f"there is no job {job!r} in {_root()}; reelproc jobs lists them")
        if known[job].state in ("queued", "running"):
            raise SpecError(f"job {job} is {known[job].state}; stop it first: reelproc attach {job} --cancel")
    _remove([known[job] for job in dict.fromkeys(ids)], as_json=as_json)


def _root() -> Path:
    from reelproc.folders import cache_folder

    return cache_folder() / "jobs"


def _listed() -> list[JobEntry]:
    from reelproc.executors.local.job_list import listed

    return listed(_root())


def _remove(entries: list[JobEntry], *, as_json: bool) -> None:
    from reelproc.executors.local.job_list import remove

    gone = [entry for entry in entries if remove(_root(), entry.id)]
    removed = Removed(jobs=tuple(entry.id for entry in gone), size_bytes=sum(entry.size_bytes for entry in gone))
    count = len(removed.jobs)
    text = f"removed {count} {'job' if count == 1 else 'jobs'}, {_size(removed.size_bytes)}"
    say(removed, as_json=as_json, text=text)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
