"""From an error to what people or machines are told, and the exit code."""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback

import click

from reelproc import errors
from reelproc.cli.overwrite import OutputExistsError
from reelproc.errors import ReelprocError

FAILED, BAD_INPUT, INTERRUPTED, TERMINATED = 1, 2, 130, 143


def report(error: BaseException, *, as_json: bool, debug: bool) -> int:
    """Say what went wrong and return the exit code.

    Args:
        error: what was raised.
        as_json: whether a machine reads standard output.
        debug: whether a traceback is wanted (on standard error).
    """
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        _forget_output()
        return FAILED
    if debug:
        told = getattr(error, "worker_traceback", "")
        if told and error.__cause__ is None:
            print(f"In the worker:\n{told}", file=sys.stderr)  # noqa: T201 - what --debug asks for
        traceback.print_exception(error)
    message = _message(error)
    if as_json:
        body = {"type": _kind(error), "message": message, "transient": getattr(error, "transient", False)}
        try:
            click.echo(json.dumps({"error": body}))
        except OSError:  # on a full disk: tell whoever reads the other output
            _forget_output()
            click.echo(f"error: {message}", err=True)
    else:
        usage = f"{error.ctx.get_usage()}\n" if isinstance(error, click.UsageError) and error.ctx else ""
        click.echo(f"{usage}{click.style('error', fg='red', bold=True)}: {message}", err=True)
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return INTERRUPTED
    is_bad_input = isinstance(error, click.ClickException) or getattr(error, "bad_input", False)
    return BAD_INPUT if is_bad_input else FAILED


def _kind(error: BaseException) -> str:
    """Return a name of docs/reference/errors.md, which is what callers can rely on."""
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "Interrupted"
    if isinstance(error, OutputExistsError):
        return "OutputExistsError"
    if isinstance(error, click.ClickException):
        return "UsageError"
    ours = (cls.__name__ for cls in type(error).__mro__ if getattr(errors, cls.__name__, None) is cls)
    return next(ours, "UnexpectedError")


def _message(error: BaseException) -> str:
    if isinstance(error, (KeyboardInterrupt, click.Abort)):
        return "interrupted"
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, ReelprocError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO) and error.filename is None:
        return f"what it has to say cannot be written: {error}"
    return f"{type(error).__name__}: {error}\nreelproc did not expect that; --debug shows where it happened"


def _forget_output() -> None:
    """Nobody takes our standard output: let the interpreter's last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
