"""Calls: dispatch, progress, call ids, results in the app's words, on an executor that does no work."""

from __future__ import annotations

import asyncio
import inspect
import math
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

import reelproc as rp
from compat_documents import KEYFRAME, REGION
from reelproc import compat
from reelproc.compat.shared_executors import chosen_executor
from reelproc.testing import MockExecutor, Scripted

ROOT = "s3://media"
CLIP = {"start_time": 0, "end_time": 1, "name": "a", "notes": None, "rating": 3, "tags": []}
FRAMED = {"job_id": "j", "user_id": "u", "input_key": "in.mp4", "output_key": "out.mp4", "keyframes": [KEYFRAME]}
DRAWN = {"job_id": "j", "user_id": "u", "input_key": "in.mp4", "output_key": "out.mp4", "highlight_regions": [REGION]}

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("render_overlay", DRAWN),
    ("render_overlay_cpu", DRAWN),
    ("render_overlay_parallel", DRAWN),
    ("process_framing", FRAMED),
    ("process_framing_ai", FRAMED),
    ("process_framing_ai_l4", FRAMED),
    ("process_framing_ai_nvenc", FRAMED),
    ("process_multi_clip", {"job_id": "j", "user_id": "u", "source_keys": ["a.mp4"], "output_key": "out.mp4",
                            "clips_data": [{"clipIndex": 0, "keyframes": []}], "transition": {"type": "cut"},
                            "target_width": 90, "target_height": 160}),
    ("detect_players", {"user_id": "u", "input_key": "in.mp4", "frame_number": 7}),
    ("detect_players_batch", {"user_id": "u", "input_key": "in.mp4", "timestamps": [0.5, 1]}),
    ("extract_clip", {"user_id": "u", "input_key": "in.mp4", "output_key": "out.mp4", "start_time": 1, "end_time": 3}),
    ("create_annotated_compilation", {"job_id": "j", "user_id": "u", "input_key": "in.mp4", "output_key": "out.mp4",
                                      "clips": [CLIP]}),
]  # fmt: skip
"""Every function with arguments as the app passes them."""


def test_every_function_is_here_with_its_twin_and_the_apps_aliases() -> None:
    for name, _ in CALLS:
        assert inspect.iscoroutinefunction(getattr(compat, f"{name}_async"))
    deployed = {name for name, _ in CALLS if not hasattr(compat, f"{name}_modal")}
    deployed |= {f"{name}_modal" for name, _ in CALLS if hasattr(compat, f"{name}_modal")}
    assert set(compat.FUNCTIONS) == deployed
    assert compat.process_multi_clip_modal is compat.process_multi_clip
    assert set(compat.__all__) <= set(dir(compat))


@pytest.mark.parametrize(("name", "arguments"), CALLS, ids=[name for name, _ in CALLS])
def test_every_function_gives_the_apps_dictionary(name: str, arguments: dict[str, Any]) -> None:
    with MockExecutor() as ex:
        result = getattr(compat, name)(**arguments, executor=ex, root=ROOT)
        awaited = asyncio.run(getattr(compat, f"{name}_async")(**arguments, executor=ex, root=ROOT))
    assert (result["status"], result["error"]) == ("success", None)
    assert awaited == result
    if name.startswith("detect"):
        assert (result["video_width"], result["video_height"]) == (1920, 1080)
        return
    assert result["output_key"] == "out.mp4"
    assert result["frames_processed"] == 60
    assert isinstance(result["clips_processed"], int)


def test_a_detection_says_who_is_where_in_the_apps_words() -> None:
    with MockExecutor() as ex:
        result = compat.detect_players("u", "in.mp4", 7, 0.4, executor=ex, root=ROOT)
        (job,) = ex.jobs
        batch = compat.detect_players_batch("u", "in.mp4", [0.5, 1], executor=ex, root=ROOT)
    player = {
        "bbox": {"x": 960, "y": 540, "width": 60, "height": 180},
        "confidence": 0.9, "class_name": "person", "class_id": 0,
    }  # fmt: skip
    assert result["frame_number"] == 7
    assert result["detections"] == [player]
    assert isinstance(job, rp.DetectJob)
    assert (job.frames, job.confidence, job.classes) == ((7,), 0.4, ("person",))
    assert batch["frames"] == [{"timestamp": time, "detections": [player]} for time in (0.5, 1.0)]


def test_extraction_copies_what_it_can_unless_it_is_told_not_to() -> None:
    with MockExecutor() as ex:
        compat.extract_clip("u", "a.mp4", "b.mp4", 1, 3, executor=ex, root=ROOT)
        compat.extract_clip("u", "a.mp4", "b.mp4", 1, 3, copy_codec=False, executor=ex, root=ROOT)
    jobs = [job for job in ex.jobs if isinstance(job, rp.ExtractJob)]
    assert [(job.copy_codec, job.smart_copy) for job in jobs] == [(False, True), (False, False)]


def test_what_goes_wrong_in_the_job_is_in_the_result() -> None:
    error = rp.DecodeError("frame 7 is damaged")
    with MockExecutor([error, rp.JobLostError("the worker died")]) as ex:
        result = compat.process_framing(**FRAMED, executor=ex, root=ROOT)
        lost = compat.process_framing(**FRAMED, executor=ex, root=ROOT)
    assert result == {
        "status": "error", "error": "frame 7 is damaged", "error_type": "DecodeError", "transient": False,
    }  # fmt: skip
    assert lost["transient"] is True


def test_what_is_wrong_with_the_call_is_raised_before_anything_is_dispatched() -> None:
    with MockExecutor() as ex:
        with pytest.raises(rp.SpecError, match=r"^keyframes\[0\]\.x: got 'a'"):
            compat.process_framing(**FRAMED | {"keyframes": [KEYFRAME | {"x": "a"}]}, executor=ex, root=ROOT)
        assert ex.jobs == []


def test_progress_goes_from_0_to_100_and_never_back() -> None:
    events = (
        rp.Progress(phase="probe"),
        rp.Progress(phase="download", done=5, total=10),
        rp.Progress(phase="render", done=30, total=60),
        rp.Progress(phase="render", done=60, total=60),
        rp.Progress(phase="something new", message="Polishing"),
        rp.Progress(phase="upload", done=1, total=2),
        rp.Progress(phase="done", done=60, total=60),
    )
    said: list[tuple[float, str, str]] = []
    with MockExecutor([Scripted(events=events)]) as ex:
        compat.process_framing(**FRAMED, executor=ex, root=ROOT, progress_callback=lambda *all_: said.append(all_))
    assert [phase for _, _, phase in said] == [event.phase for event in events]
    shares = [share for share, _, _ in said]
    assert shares == sorted(shares)
    assert (shares[2], shares[-1]) == (50.0, 100.0)
    assert said[2][1] == "Rendering: 30 of 60 frames"
    assert said[4][1] == "Polishing"


class Heard:
    """A callback of every kind."""

    def __init__(self) -> None:
        self.said: list[tuple[object, ...]] = []

    def plain(self, *arguments: object) -> None:
        self.said.append(arguments)

    async def coroutine(self, *arguments: object) -> None:
        await asyncio.sleep(0)
        self.said.append(arguments)


@pytest.mark.parametrize("kind", ["plain", "coroutine"])
@pytest.mark.parametrize("awaited", [False, True])
def test_callbacks_may_be_functions_or_coroutine_functions(kind: str, awaited: bool) -> None:
    heard, ids = Heard(), Heard()
    with MockExecutor() as ex:
        options: Any = {
            "progress_callback": getattr(heard, kind), "call_id_callback": getattr(ids, kind),
            "executor": ex, "root": ROOT,
        }  # fmt: skip
        if awaited:
            asyncio.run(compat.process_framing_async(**FRAMED, **options))
        else:
            compat.process_framing(**FRAMED, **options)
    assert heard.said[-1] == (100.0, "Done", "done")
    ((call_id,),) = ids.said
    assert str(call_id).startswith("mock:j-")


def test_a_coroutine_for_the_function_that_cannot_await_is_refused_inside_of_a_loop() -> None:
    async def scenario(ex: MockExecutor) -> None:
        compat.process_framing(**FRAMED, executor=ex, root=ROOT, progress_callback=Heard().coroutine)

    with MockExecutor() as ex, pytest.raises(rp.SpecError, match="twin that ends in _async"):
        asyncio.run(scenario(ex))


def test_the_call_id_is_told_while_the_job_runs_and_finds_it_again() -> None:
    with MockExecutor([Scripted(seconds=math.inf)]) as ex:

        async def scenario() -> str:
            ids: list[str] = []
            task = asyncio.ensure_future(
                compat.process_framing_async(**FRAMED, executor=ex, root=ROOT, call_id_callback=ids.append)
            )
            while not ids:
                await asyncio.sleep(0.001)
            assert await compat.status_async(ids[0], executor=ex) == "running"
            assert await compat.result_async(ids[0], executor=ex, root=ROOT, timeout=0.01) == {"status": "running"}
            await compat.cancel_async(ids[0], executor=ex)
            result = await task
            assert result["error_type"] == "JobCancelledError"
            return ids[0]

        call_id = asyncio.run(scenario())
        assert compat.status(call_id, executor=ex) == "error"
        assert compat.result(call_id, executor=ex, root=ROOT)["error_type"] == "JobCancelledError"


def test_the_same_call_is_done_once_and_another_under_its_name_is_another_job() -> None:
    ids: list[str] = []
    with MockExecutor() as ex:
        run: Callable[..., Any] = compat.process_framing
        for fps in (30, 30, 25):
            run(**FRAMED, fps=fps, executor=ex, root=ROOT, call_id_callback=ids.append)
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("name", ["", "../../etc", "Ü b/c", "x" * 500, "-", "a:b"])
def test_any_job_id_can_name_a_job(name: str) -> None:
    ids: list[str] = []
    with MockExecutor() as ex:
        compat.process_framing(**FRAMED | {"job_id": name}, executor=ex, root=ROOT, call_id_callback=ids.append)
        assert compat.status(ids[0], executor=ex) == "complete"


def test_an_unknown_call_is_not_taken_for_dead(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REELPROC_HOME", str(tmp_path))
    with rp.executor("local") as ex:
        assert compat.status("local:never", executor=ex) == "unknown"
        assert compat.result("local:never", executor=ex, root=ROOT)["status"] == "unknown"
    with pytest.raises(rp.SpecError, match=r"^call_id: got 'fc-1'"):
        compat.status("fc-1")


def test_an_executor_is_chosen_by_object_name_variable_or_the_functions_hardware(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REELPROC_COMPAT_EXECUTOR", raising=False)
    with MockExecutor() as ex:
        assert chosen_executor(ex) == ("mock", ex)
    assert chosen_executor("mock")[1] is chosen_executor("mock")[1], "one for the life of the process"
    assert chosen_executor(None, "modal-t4")[0] == "local"
    assert chosen_executor("modal", "mock")[0] == "mock"
    monkeypatch.setenv("REELPROC_COMPAT_EXECUTOR", "mock")
    assert chosen_executor(None)[0] == "mock"
    with pytest.raises(rp.SpecError, match="no executor is called 'moon'"):
        chosen_executor("moon")


def test_importing_the_apps_functions_loads_no_media_library() -> None:
    media = ("cv2", "av", "torch", "modal", "boto3", "ultralytics", "PIL", "numpy")
    code = f"import sys, reelproc.compat; print([m for m in {media!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
