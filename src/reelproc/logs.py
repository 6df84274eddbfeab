"""What reelproc logs: loggers by the names of its modules, below ``reelproc``.

INFO is a step of a job or a transfer, DEBUG a child process, WARNING what is tried again. Nothing is shown unless the
program that uses reelproc asks for it, as ``logging`` has it. Worker processes send their records to the process that
started them, where they are logged under their own names.
"""

from __future__ import annotations

import logging
import re
import shlex
from collections.abc import Callable, Sequence
from typing import Any

from reelproc.errors import redact

_ROOT = "reelproc"
_LOOPBACK_ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+/)\S+")
"""Where ffmpeg reads a remote source: whoever knows the address can read it, too."""


def shown_command(argv: Sequence[str]) -> str:
    """Return ``argv`` as a shell takes it, for people, without secrets.

    >>> shown_command(["ffmpeg", "-i", "https://me:pw@example.org/a game.mp4?sig=abc"])
    "ffmpeg -i 'https://example.org/a game.mp4'"
    """
    return shlex.join(_LOOPBACK_ADDRESS.sub(r"\1...", redact(argument)) for argument in argv)


def wanted_level() -> int:
    """Return the least level that anybody listens to, for a process whose records are sent here."""
    return logging.getLogger(_ROOT).getEffectiveLevel()


def forward(send: Callable[[dict[str, Any]], None], level: int) -> None:
    """Have ``send`` take the records of this process from ``level`` up, as data; it takes the place of the one before.

    Args:
        send: takes a record, from any thread.
        level: the number of a level of ``logging``.
    """
    logger = logging.getLogger(_ROOT)
    for handler in [h for h in logger.handlers if isinstance(h, _Forwarding)]:
        logger.removeHandler(handler)
    logger.addHandler(_Forwarding(send))
    logger.setLevel(level)


def log_again(data: dict[str, Any]) -> None:
    """Log a record that another process has sent."""
    logger = logging.getLogger(data["name"])
    if logger.isEnabledFor(data["levelno"]):
        logger.handle(logging.makeLogRecord(data))


class _Forwarding(logging.Handler):
    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send what is left of the record without objects that only this process has."""
        self._send({
            "name": record.name,
            "levelno": record.levelno,
            "levelname": record.levelname,
            "msg": redact(self.format(record)),
            "created": record.created,
            "msecs": record.msecs,
            "process": record.process,
            "processName": record.processName,
            "threadName": record.threadName,
            "pathname": record.pathname,
            "filename": record.filename,
            "module": record.module,
            "funcName": record.funcName,
            "lineno": record.lineno,
        })  # fmt: skip
