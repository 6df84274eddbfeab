"""What the commands share: options, JSON arguments, running a job under a progress bar, and saying the result."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from reelproc.cli.argument_names import reword, spoken
from reelproc.cli.completion import executors
from reelproc.cli.overwrite import writing
from reelproc.cli.progress import aside, event_line, progress_bar
from reelproc.cli.stdin_source import is_piped
from reelproc.cli.verbosity import verbose_option
from reelproc.errors import ObjectNotFoundError, ReelprocError, SpecError, StorageError
from reelproc.timing import exact
from reelproc.validation_messages import no_json

if TYPE_CHECKING:
    from reelproc.executors import Executor, JobHandle
    from reelproc.jobs import Job
    from reelproc.results import JobResult, ResultT
    from reelproc.schema import Schema

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


class _TimeType(click.ParamType[float]):
    """A time as everywhere in reelproc, in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return float(exact(value))
        except SpecError as error:
            self.fail(str(error), param, ctx)


TIME = _TimeType()
"""The type of options that take a time: ``83.5``, ``1:23.5`` or ``0:01:23.5``."""


def size(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """Return the callback of options that take ``WxH`` in pixels."""
    if value is None:
        return None
    width, _x, height = (count(part) for part in value.lower().partition("x"))
    if width is None or height is None:
        raise click.BadParameter(f"{value[:80]!r} is not a size; write width x height in pixels, e.g. 810x1440")
    return width, height


def count(text: str) -> int | None:
    """Return the whole number that ``text`` is, of nine digits at most; None where it is none.

    >>> count("810"), count("8.5"), count("1" * 5000)
    (810, None, None)
    """
    return int(text) if text.isdecimal() and len(text) <= 9 else None


def common_options(command: CommandT) -> CommandT:
    """Add ``--json``, ``-v`` and ``--debug``, which every command has; its errors speak of its options."""

    @wraps(command)
    def told(*arguments: Any, **options: Any) -> Any:
        try:
            return command(*arguments, **options)
        except ReelprocError as error:
            reword(error, click.get_current_context().command)
            raise

    shown = click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")(told)
    shown = verbose_option(shown)
    shown = click.option("--json", "as_json", is_flag=True, help="Print one JSON document, errors included.")(shown)
    return cast("CommandT", shown)


def executor_option(command: CommandT) -> CommandT:
    """Add ``--executor``."""
    return click.option(
        "--executor",
        default="local",
        show_default=True,
        metavar="NAME",
        shell_complete=executors,
        help="Where to run it: local, modal-t4, ...",
    )(command)


def staging_option(command: CommandT) -> CommandT:
    """Add ``--staging``."""
    return click.option(
        "--staging",
        metavar="s3://...",
        help="For Modal: where files of this machine are uploaded to, and results fetched from.",
    )(command)


def on_damage_option(command: CommandT) -> CommandT:
    """Add ``--on-damage``."""
    return click.option(
        "--on-damage",
        type=click.Choice(["raise", "conceal"]),
        default="raise",
        show_default=True,
        help="At a frame that cannot be decoded: fail, or repeat the last good one and report it.",
    )(command)


def strict_option(command: CommandT) -> CommandT:
    """Add ``--strict``."""
    return click.option(
        "--strict",
        is_flag=True,
        help="Refuse what would only be warned of: a part outside the picture or outside its clip's time.",
    )(command)


def read_json(argument: str) -> Any:
    """Return the JSON in a file, or on standard input for ``-``.

    Raises:
        ObjectNotFoundError: there is no such file.
        StorageError: it cannot be read.
        SpecError: it is not JSON.
    """
    where = "standard input" if argument == "-" else argument
    try:
        return json.loads(sys.stdin.buffer.read() if argument == "-" else Path(argument).read_bytes())
    except FileNotFoundError as error:
        raise ObjectNotFoundError(f"there is no file {argument!r}") from error
    except OSError as error:
        raise StorageError(f"{where} cannot be read: {error}", bad_input=True) from error
    except json.JSONDecodeError as error:
        raise SpecError(f"{where}: {no_json(error.doc, error.lineno, error.colno, error.msg)}") from None
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, nested without end; ValueError: no file's name
        raise SpecError(f"{where} is not valid JSON: {error}") from None


def making_executor(name: str, *, staging: str | None = None) -> Executor:
    """Return the executor of ``--executor`` and ``--staging``."""
    import reelproc as rp

    return rp.executor(name, **({} if staging is None else {"staging": staging}))


def run(
    job: Job[ResultT],
    *,
    executor: str,
    as_json: bool,
    force: bool = False,
    staging: str | None = None,
    id: str | None = None,
) -> ResultT:
    """Have ``job`` done and return its result; an interruption cancels it.

    Raises:
        OutputExistsError: a file is there that is no result of this job, and ``force`` is not given.
    """
    from reelproc.errors import shown_address
    from reelproc.jobs.transfers import keep_sources

    output = job.destination()
    if output:
        keep_sources(job.sources(), output, "the output", ("output",))
    places = (output,) if output else ()
    with (
        writing(*places, job=job.identity, force=force, is_result=lambda name: _made(job, id, name)),
        making_executor(executor, staging=staging) as ex,
    ):
        handle = ex.submit(job, id=id)
        name = f"job {handle.id}; if this is cut off: reelproc attach {handle.id}"
        if as_json:
            at = shown_address(output) or None
            event_line("job", job=handle.id, kind=job.job, executor=executor, output=at)
        elif executor != "local":  # it runs on whatever becomes of this process
            aside(f"{name} --executor {executor}", as_json=False)
        is_lost = any(map(is_piped, job.sources()))  # with this process, and so is the job
        return follow(handle, as_json=as_json, name="" if as_json or executor != "local" or is_lost else name)


def _made(job: Job, id: str | None, identity: str) -> bool:
    """Return whether a job of this machine has made what ``job`` would make, and it is still as it was made."""
    from reelproc.executors.local.job_folder import JobFolder
    from reelproc.folders import cache_folder

    try:
        folder = JobFolder(cache_folder() / "jobs", id or f"{job.job}-{identity}")
        request = folder.request()
    except ReelprocError:  # no name for a job, or a damaged folder
        return False
    return request is not None and request.identity == identity and folder.is_complete()


def follow(handle: JobHandle[ResultT], *, as_json: bool, name: str = "") -> ResultT:
    """Show the job's progress until it ends, and return its result.

    Args:
        handle: of the job.
        as_json: whether a machine reads it.
        name: said when there is something to be lost: a job that is refused need not be found again.
    """
    with progress_bar(as_json=as_json, job=handle.id) as show:
        for event in handle.events():
            if name and event.phase not in ("startup", "probe"):
                aside(name, as_json=False)
                name = ""
            show(event)
    return handle.result()


def say_result(result: JobResult, *, as_json: bool) -> None:
    """Print the result of a job, with what it sums itself up as, and its warnings."""
    say(result, as_json=as_json, text=result.summary(), warnings=result.warnings)


def say(result: Schema, *, as_json: bool, text: str, warnings: tuple[str, ...] = ()) -> None:
    """Print ``result`` for machines, or ``text`` and ``warnings`` for people."""
    if as_json:
        click.echo(result.model_dump_json())
        return
    click.echo(text)
    for warning in warnings:
        aside(spoken(warning), as_json=False, kind="warning")
