"""How a call of the app's becomes a job on an executor, and what comes back.

What is wrong with the arguments, or keeps a job from being dispatched, is raised. What becomes of a job is in its
result dictionary: the app's ``{status, output_key, frames_processed, clips_processed, error}``.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Generic, ParamSpec, TypedDict

from reelproc.compat.keys import Keys
from reelproc.compat.progress import ProgressMeter
from reelproc.compat.shared_executors import chosen_executor
from reelproc.errors import JobLostError, ReelprocError, SpecError
from reelproc.executors.base import Executor
from reelproc.executors.handle import JobHandle, JobState
from reelproc.jobs import Job
from reelproc.results import DetectResult, ExtractResult, JobResult, Progress, RenderResult

P = ParamSpec("P")

Result = dict[str, Any]
"""The app's result dictionary."""

ProgressCallback = Callable[[float, str, str], object]
"""``progress_callback(progress, message, phase)``, progress from 0 to 100; a function or a coroutine function."""


class CallOptions(TypedDict, total=False):
    """What every function of :mod:`reelproc.compat` takes besides the app's own arguments.

    Attributes:
        executor: an :class:`~reelproc.Executor`, or a name: ``"local"``, ``"modal-t4"``, ...; ``"modal"`` is the
            hardware that the app has the function run on. None: ``REELPROC_COMPAT_EXECUTOR``, or ``"local"``.
        root: where keys are: ``s3://bucket``, ``s3://bucket/prefix`` or a folder. None: ``REELPROC_STORAGE_ROOT``, or
            the bucket that ``R2_BUCKET_NAME`` names.
        progress_callback: called with (progress from 0 to 100, message, phase); may be a coroutine function.
        call_id_callback: called once with the call's id, as soon as the job is stored; likewise.
        timeout: seconds that the job may run; None: as long as the executor lets it.
    """

    executor: str | Executor | None
    root: str | os.PathLike[str] | None
    progress_callback: ProgressCallback | None
    call_id_callback: Callable[[str], object] | None
    timeout: float | None


@dataclass(frozen=True)
class Call:
    """A call, translated.

    Attributes:
        job: what is to be done.
        keys: turns addresses back into keys.
        job_id: the caller's name for it; empty: none.
        added: what the result has besides what its job tells.
    """

    job: Job
    keys: Keys
    job_id: str = ""
    added: Callable[[Any], Result] | None = None

    def id(self) -> str | None:
        """Return the job's name: the caller's and a digest of its content, so that the same call again joins the job.

        Another call under the same ``job_id`` is another job.
        """
        if not self.job_id:
            return None
        readable = re.sub(r"[^A-Za-z0-9._-]+", "-", self.job_id).strip("-._")[:60]
        return f"{readable or 'job'}-{self.job.identity()[:20]}"

    def result(self, outcome: JobResult | ReelprocError) -> Result:
        """Return the app's dictionary for how the job ended."""
        if isinstance(outcome, ReelprocError):
            return failure_data(outcome)
        return success_data(outcome, self.keys) | (self.added(outcome) if self.added else {})


@functools.singledispatch
def success_data(result: JobResult, _keys: Keys) -> Result:
    """Return the dictionary of a job that is complete; ``details`` is all that its result says."""
    return {"status": "success", "error": None, "details": result.model_dump(mode="json")}


@success_data.register(DetectResult)
def _detect_data(result: DetectResult, _keys: Keys) -> Result:
    return {
        "status": "success",
        "frames": [
            {"timestamp": frame.time, "detections": [detection_data(d) for d in frame.detections]}
            for frame in result.frames
        ],
        "video_width": result.width,
        "video_height": result.height,
        "error": None,
        "details": result.model_dump(mode="json"),
    }


@success_data.register(RenderResult)
def _render_data(result: RenderResult, keys: Keys) -> Result:
    return {
        "status": "success",
        "output_key": keys.key(result.output),
        "frames_processed": result.frame_count,
        "clips_processed": len(result.clips),
        "error": None,
        "details": result.model_dump(mode="json"),
    }


@success_data.register(ExtractResult)
def _extract_data(result: ExtractResult, keys: Keys) -> Result:
    return _render_data(result, keys) | {"duration": result.duration_seconds}


def detection_data(found: Any) -> dict[str, Any]:
    """Return a detection in the app's words: the centre of its box."""
    return {
        "bbox": {"x": found.x, "y": found.y, "width": found.width, "height": found.height},
        "confidence": found.confidence,
        "class_name": found.label,
        "class_id": 0,  # COCO's person, which is all that is looked for
    }


def failure_data(error: ReelprocError) -> Result:
    """Return the dictionary of a job that failed; ``transient``: the same again may succeed."""
    data: Result = {
        "status": "error",
        "error": str(error),
        "error_type": type(error).__name__,
        "transient": error.transient,
    }
    if isinstance(error, SpecError) and error.path:
        data["field"] = list(error.path)
    return data


class AppFunction(Generic[P]):
    """One of the app's processing functions: call it, await its :meth:`call_async`, or ask for its job.

    Attributes:
        name: by which it is deployed on Modal.
        preset: the executor that ``executor="modal"`` means.
        timeout_seconds: that the app gives it on Modal.
    """

    def __init__(self, translated: Callable[P, Call], *, name: str, preset: str, timeout_seconds: int) -> None:
        self.name = name
        self.preset = preset
        self.timeout_seconds = timeout_seconds
        self._translated = translated
        functools.update_wrapper(self, translated)
        self.__name__ = self.__qualname__ = name
        # what it says of itself: the translated call is what its caller never sees
        self.__signature__ = inspect.signature(translated).replace(return_annotation="dict[str, Any]")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Have it done, and wait for it.

        Raises:
            SpecError: an argument is not as it should be; the message begins with its path.
            ReelprocError: the job could not be dispatched.
        """
        call, callbacks = self._prepared(args, kwargs)
        with callbacks:
            handle = callbacks.executor.submit(call.job, id=call.id(), timeout=callbacks.timeout)
            callbacks.call(callbacks.call_id_callback, callbacks.call_id(handle))
            if callbacks.progress_callback is not None:
                for event in handle.events():
                    callbacks.call(callbacks.progress_callback, *callbacks.progress(event))
        return call.result(outcome_of(handle.wait()))

    async def call_async(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Do the same for asyncio. Cancelling the task that awaits it does not cancel the job."""
        call, callbacks = await asyncio.to_thread(self._prepared, args, kwargs)
        name = await asyncio.to_thread(call.id)
        handle = await callbacks.executor.submit_async(call.job, id=name, timeout=callbacks.timeout)
        await callbacks.await_callback(callbacks.call_id_callback, callbacks.call_id(handle))
        if callbacks.progress_callback is not None:
            async for event in handle.events_async():
                await callbacks.await_callback(callbacks.progress_callback, *callbacks.progress(event))
        return call.result(outcome_of(await handle.wait_async()))

    def translate(self, *args: P.args, **kwargs: P.kwargs) -> Call:
        """Return the job that the call means; nothing is run.

        Raises:
            SpecError: an argument is not as it should be; the message begins with its path.
        """
        unknown = set(kwargs) - self._known
        if unknown:
            raise TypeError(f"{self.name}() got unexpected arguments: {', '.join(sorted(unknown))}")
        return self._translated(*args, **kwargs)

    @functools.cached_property
    def _known(self) -> set[str]:
        named = {p.name for p in inspect.signature(self._translated).parameters.values() if p.kind != p.VAR_KEYWORD}
        return named | set(CallOptions.__annotations__)

    def variant(
        self, name: str, *, preset: str | None = None, change: Callable[[Any], Job] | None = None
    ) -> AppFunction[P]:
        """Return the same function under another name: on other hardware, or with its job changed."""
        translated = self._translated
        if change is not None:
            change_job = change

            @functools.wraps(self._translated)
            def translated(*args: P.args, **kwargs: P.kwargs) -> Call:
                call = self._translated(*args, **kwargs)
                return replace(call, job=change_job(call.job))

        return AppFunction(translated, name=name, preset=preset or self.preset, timeout_seconds=self.timeout_seconds)

    def _prepared(self, args: Any, kwargs: Any) -> tuple[Call, _Callbacks]:
        call = self.translate(*args, **kwargs)
        name, executor = chosen_executor(kwargs.get("executor"), self.preset)
        return call, _Callbacks(
            name,
            executor,
            kwargs.get("timeout"),
            kwargs.get("progress_callback"),
            kwargs.get("call_id_callback"),
        )


def app_function(*, preset: str, timeout_seconds: int) -> Callable[[Callable[P, Call]], AppFunction[P]]:
    """Make a function that translates the app's arguments one that can be called; see :class:`AppFunction`."""

    def make(translated: Callable[P, Call]) -> AppFunction[P]:
        return AppFunction(translated, name=translated.__name__, preset=preset, timeout_seconds=timeout_seconds)

    return make


def outcome_of(state: JobState) -> JobResult | ReelprocError:
    """Return how a job that has ended went."""
    return state.outcome or JobLostError(f"there is no result: the job is {state.status}")


class _Callbacks:
    """Where a call goes, and what its caller wants to hear of it; in a ``with`` block where nobody awaits."""

    def __init__(
        self,
        name: str,
        executor: Executor,
        timeout: float | None,
        progress_callback: ProgressCallback | None,
        call_id_callback: Callable[[str], object] | None,
    ) -> None:
        self.name = name
        self.executor = executor
        self.timeout = timeout
        self.progress_callback = progress_callback
        self.call_id_callback = call_id_callback
        self._meter = ProgressMeter()
        self._runner: asyncio.Runner | None = None

    def call_id(self, handle: JobHandle) -> str:
        return f"{self.name}:{handle.id}"

    def progress(self, event: Progress) -> tuple[float, str, str]:
        said = self._meter.message(event)
        return said["progress"], said["message"], said["phase"]

    async def await_callback(self, callback: Callable[..., object] | None, *arguments: object) -> None:
        """Call it, and await what it returns if that can be awaited."""
        if callback is not None:
            returned = callback(*arguments)
            if inspect.isawaitable(returned):
                await returned

    def call(self, callback: Callable[..., object] | None, *arguments: object) -> None:
        """Call it from a thread without an event loop; coroutines get one that lives as long as the call."""
        if callback is None:
            return
        if self._runner is None:
            callback(*arguments)
        else:
            self._runner.run(self.await_callback(callback, *arguments))

    def __enter__(self) -> None:
        wanted = (self.progress_callback, self.call_id_callback)
        if not any(_is_async(callback) for callback in wanted):
            return
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            self._runner = asyncio.Runner()
            return
        raise SpecError(
            "a coroutine function as a callback, inside of a coroutine, needs the function's twin that ends in _async"
        )

    def __exit__(self, *_: object) -> None:
        if self._runner is not None:
            self._runner.close()


def _is_async(callback: Callable[..., object] | None) -> bool:
    """Return whether ``callback`` is a coroutine function, or an object that is called as one."""
    return any(map(inspect.iscoroutinefunction, (callback, type(callback).__call__)))
