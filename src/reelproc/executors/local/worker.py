"""A worker process of the local executor: ``python -m reelproc.executors.local.worker --parent PID``.

It is told what to do in lines of JSON on its standard input, ``{"run": FOLDER}`` and ``{"cancel": ID}``, and answers
on its standard output: ``{"begin": ID}``, ``{"event": {...}}``, ``{"log": {...}}``, ``{"end": {...}}``. One job at a
time; what a job leaves loaded in the process (a network on the GPU) is there for the next.

A worker dies with its parent and takes its own children with it: it leads a process group, which it kills when its
standard input ends in the middle of a job or (Linux) the kernel reports the parent's death.
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

from reelproc.errors import StorageError
from reelproc.executors.local.chunk_workers import LocalChunks
from reelproc.executors.local.job_folder import JobRequest
from reelproc.executors.outcome import outcome_to_data
from reelproc.job_context import JobContext
from reelproc.jobs import run_job
from reelproc.logs import forward
from reelproc.machine.malloc import use_one_arena
from reelproc.results import Progress

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_EVENT_SECONDS = 0.1


class Worker:
    """Does the jobs it is told to, in a thread of its own; the main thread listens.

    Args:
        control: file descriptor to read from.
        reply: file descriptor to write to.
    """

    def __init__(self, control: int, reply: int) -> None:
        self._control = control
        self._reply = reply
        self._reply_lock = threading.Lock()
        self._folders: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._cancelled = threading.Event()
        self._id: str | None = None

    def serve(self) -> None:
        """Work until the standard input ends."""
        thread = threading.Thread(target=self._work, name="job", daemon=True)
        thread.start()
        with os.fdopen(self._control, "rb") as lines:
            for line in lines:
                self._obey(json.loads(line))
        if self._id is not None:  # nobody is there to take the result
            die()
        self._folders.put(None)
        thread.join()

    def _obey(self, message: dict[str, str]) -> None:
        if "run" in message:
            forward(lambda record: self._send({"log": record}), int(message.get("log_level", logging.WARNING)))
            folder = Path(message["run"])
            self._cancelled.clear()
            self._id = folder.name
            self._folders.put(folder)
        elif message.get("cancel") == self._id:
            self._cancelled.set()

    def _work(self) -> None:
        while (folder := self._folders.get()) is not None:
            events = _Events(self._send)
            try:
                outcome = self._do(folder, events)
            except BaseException as error:  # noqa: BLE001 - the end of the process's world: all is reported, typed
                outcome = outcome_to_data(error)
            events.flush()
            self._id = None
            self._send({"end": outcome})

    def _do(self, folder: Path, events: _Events) -> dict[str, Any]:
        self._send({"begin": folder.name})
        log = os.open(folder / "log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(log, 2)
        os.dup2(log, 1)
        os.close(log)
        request = JobRequest.model_validate_json((folder / "job.json").read_bytes())
        try:
            os.chdir(request.cwd)
        except OSError as error:
            raise StorageError(f"the folder that the job was submitted from cannot be entered: {error}") from error
        context = JobContext(folder=folder, progress=events, cancelled=self._cancelled)
        if request.job.is_divided:
            chunks = LocalChunks(request.job, folder, cancelled=self._cancelled)
            context = replace(context, store=chunks.store, delegate=chunks.delegate)
        context.check()
        return outcome_to_data(run_job(request.job, context), request.job.job)

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        with self._reply_lock:
            try:
                while data:
                    data = data[os.write(self._reply, data) :]
            except BrokenPipeError:
                die()


class _Events:
    """Passes a job's progress on, at most ten events a second of one phase, its first and its last always."""

    def __init__(self, send: Callable[[dict[str, Any]], None]) -> None:
        self._send = send
        self._lock = threading.Lock()  # reader, stages and encoder may all report
        self._phase: str | None = None
        self._sent = 0.0
        self._held: Progress | None = None

    def __call__(self, event: Progress) -> None:
        with self._lock:
            now = time.monotonic()
            if event.phase != self._phase:
                self._pass_on(self._held)
            elif now - self._sent < _EVENT_SECONDS:
                self._held = event
                return
            self._phase, self._sent = event.phase, now
            self._pass_on(event)

    def flush(self) -> None:
        with self._lock:
            self._pass_on(self._held)

    def _pass_on(self, event: Progress | None) -> None:
        self._held = None
        if event is not None:
            self._send({"event": event.model_dump(mode="json")})


def die(*_: object) -> NoReturn:
    """End this process at once, and its children with it."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _die_with(parent: int) -> None:
    signal.signal(signal.SIGTERM, die)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    if sys.platform == "linux":
        # The end of standard input says the same, but not while another process, a fork of the parent, holds the pipe.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        die()


def _private_pipes() -> tuple[int, int]:
    """Move the pipes to the parent to unused numbers: a stray print must not mix with the answers."""
    control, reply = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    return control, reply


def main(arguments: list[str] | None = None) -> None:
    """Be a worker until the standard input ends."""
    parser = argparse.ArgumentParser(prog="reelproc.executors.local.worker")
    parser.add_argument("--parent", type=int, required=True, help="process id that this one must not outlive")
    options = parser.parse_args(arguments)
    use_one_arena()  # before the first thread
    control, reply = _private_pipes()
    _die_with(options.parent)
    faulthandler.enable(all_threads=False)
    Worker(control, reply).serve()


if __name__ == "__main__":
    main()
