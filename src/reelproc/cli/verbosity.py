"""What of reelproc's log a command shows, on standard error: warnings, with ``-v`` its steps, with ``-vv`` all."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from reelproc.cli.progress import event_line
from reelproc.errors import redact

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)


def verbose_option(command: CommandT) -> CommandT:
    """Add ``-v``, which may stand anywhere and be given twice."""
    return click.option(
        "-v",
        "--verbose",
        count=True,
        expose_value=False,
        callback=_louder,
        help="Say what it does; -vv: every ffmpeg command, too.",
    )(command)


def _louder(context: click.Context, _: click.Parameter, value: int) -> None:
    if not value:
        return
    meta = context.find_root().meta
    meta[__name__] = meta.get(__name__, 0) + value
    logging.getLogger("reelproc").setLevel(_LEVELS[min(meta[__name__], len(_LEVELS) - 1)])


@contextmanager
def logging_shown(*, as_json: bool) -> Iterator[None]:
    """Show what is logged in the block, warnings and up unless ``-v`` asks for more."""
    logger = logging.getLogger("reelproc")
    before, handler = logger.level, _Shown(as_json=as_json)
    logger.setLevel(_LEVELS[0])
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before)


class _Shown(logging.Handler):
    """To wherever standard error goes when something is logged: a progress bar takes it over for a while."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        text = redact(self.format(record))
        try:
            if self._as_json:
                event_line(
                    "log", time=round(record.created, 3), level=record.levelname, logger=record.name, message=text
                )
            else:
                at = time.strftime("%H:%M:%S", time.localtime(record.created))
                click.echo(f"{at} {record.levelname.lower()} {record.name}: {text}", err=True)
        except OSError:  # nobody reads it
            return
