"""The app's functions on Modal, by name and through compat: our app on the loopback, real renders in containers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import modal
import pytest

import reelproc as rp
from media_factory import numbered_video, read_number, tone
from modal_service import LIVE, ModalService
from reelproc import compat, storage
from reelproc.compat.functions import FUNCTIONS
from reelproc.modal_app.app import SETTINGS, app, reachable_root
from waiting import LONG

pytestmark = [pytest.mark.skip(reason="reads what the loopback's containers write")] if LIVE else []

USER = "test"
HIGHLIGHT_REGIONS = [
    {
        "start_time": 0.2,
        "end_time": 0.8,
        "keyframes": [
            {"time": 0.2, "x": 96, "y": 54, "radiusX": 30, "radiusY": 30, "opacity": 0.15},
            {"time": 0.8, "x": 110, "y": 60, "radiusX": 36, "radiusY": 36, "opacity": 0.15},
        ],
    }
]


@pytest.fixture
def keys(modal_service: ModalService, tmp_path: Path) -> str:
    """A prefix with a video, put there as the app's own scripts do; ``R2_BUCKET_NAME`` tells all of them the bucket."""
    made = numbered_video(tmp_path / "clip.mp4", frame_count=60, sound=tone(2))
    prefix = f"test_videos/{uuid.uuid4().hex}"
    asyncio.run(compat.upload_to_r2(USER, f"{prefix}/clip.mp4", made.path))
    return prefix


def numbers(key: str, folder: Path) -> list[int]:
    path = storage.resolve(compat.Keys().source(USER, key), folder=folder)
    with rp.open_video(path) as video:
        return [read_number(frame) for frame in video]


def remote(name: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
    result: dict[str, Any] = modal.Function.from_name(app.name, name).remote(*args, **kwargs)
    return result


def test_a_script_calls_the_functions_by_name_with_the_apps_arguments(keys: str, tmp_path: Path) -> None:
    result = remote(
        "render_overlay",
        job_id="baseline_overlay",
        user_id=USER,
        input_key=f"{keys}/clip.mp4",
        output_key=f"{keys}/overlay.mp4",
        highlight_regions=HIGHLIGHT_REGIONS,
        effect_type="dark_overlay",
    )
    assert (result["status"], result["frames_processed"], result["error"]) == ("success", 60, None)
    assert result["output_key"] == f"{keys}/overlay.mp4"
    assert result["details"]["hardware"] == "modal-t4"
    assert numbers(result["output_key"], tmp_path) == list(range(60))


def test_framing_by_name_trims_and_crops(keys: str, tmp_path: Path) -> None:
    result = remote(
        "process_framing",
        job_id="baseline_framing",
        user_id=USER,
        input_key=f"{keys}/clip.mp4",
        output_key=f"{keys}/framing.mp4",
        keyframes=[{"time": 0, "x": 0, "y": 0, "width": 192, "height": 108}],
        output_width=192,
        output_height=108,
        fps=30,
        segment_data={"trimRange": {"start": 0.5, "end": 1.5}},
    )
    assert (result["status"], result["frames_processed"]) == ("success", 30)
    assert numbers(result["output_key"], tmp_path) == list(range(15, 45))


def test_extraction_by_name_is_exact(keys: str, tmp_path: Path) -> None:
    result = remote("extract_clip_modal", USER, f"{keys}/clip.mp4", f"{keys}/cut.mp4", 0.5, 1.0)
    assert (result["status"], result["frames_processed"]) == ("success", 15)
    assert result["details"]["hardware"] == "modal-cpu"
    assert numbers(result["output_key"], tmp_path) == list(range(15, 30))


def test_a_divided_overlay_by_name_is_done_by_several_containers(keys: str, tmp_path: Path) -> None:
    result = remote(
        "render_overlay_parallel",
        "parallel",
        USER,
        f"{keys}/clip.mp4",
        f"{keys}/parallel.mp4",
        HIGHLIGHT_REGIONS,
        num_chunks=2,
    )
    assert (result["status"], result["frames_processed"]) == ("success", 60)
    assert numbers(result["output_key"], tmp_path) == list(range(60))


def test_what_goes_wrong_by_name_comes_back_as_data(keys: str) -> None:
    wrong = remote("process_framing", "j", USER, f"{keys}/clip.mp4", f"{keys}/o.mp4", [{"time": 0, "x": "left"}])
    assert (wrong["status"], wrong["field"]) == ("error", ["keyframes", 0, "x"])
    missing = remote("render_overlay", "j", USER, f"{keys}/none.mp4", f"{keys}/o.mp4", HIGHLIGHT_REGIONS)
    assert (missing["status"], missing["error_type"]) == ("error", "ObjectNotFoundError")
    unknown = remote("render_overlay", "j", USER, f"{keys}/clip.mp4", f"{keys}/o.mp4", HIGHLIGHT_REGIONS, dim=1)
    assert unknown["status"] == "error"
    assert "unexpected arguments: dim" in unknown["error"]
    climbing = remote("render_overlay", "j", USER, "../other/clip.mp4", f"{keys}/o.mp4", HIGHLIGHT_REGIONS)
    assert climbing["field"] == ["input_key"]


def test_a_script_without_reelproc_can_call_and_read_the_result(keys: str) -> None:
    """As the app's baseline experiment does, in a process of its own that never imports reelproc."""
    script = (
        "import modal, sys\n"
        "fn = modal.Function.from_name(sys.argv[1], 'render_overlay')\n"
        "result = fn.remote(job_id='b', user_id='test', input_key=sys.argv[2] + '/none.mp4',\n"
        "    output_key=sys.argv[2] + '/o.mp4', highlight_regions=[], effect_type='dark_overlay')\n"
        "assert 'reelproc' not in sys.modules\n"
        "print(result['status'], result['error_type'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(app.name), keys],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert (done.stdout.strip(), done.returncode) == ("error ObjectNotFoundError", 0), done.stderr


def test_every_function_is_deployed_on_its_hardware(modal_service: ModalService) -> None:
    server = modal_service.server
    assert server is not None

    def deployed() -> dict[str, Any]:
        functions = server.deployed(SETTINGS["REELPROC_MODAL_APP"]).function_ids
        return {name: server.state.functions[function].definition for name, function in functions.items()}

    found = server.run(deployed)
    assert set(FUNCTIONS) <= set(found)
    gpus = {name: found[name].resources.gpu_config.gpu_type for name in FUNCTIONS}
    assert gpus == {
        "render_overlay": "T4",
        "render_overlay_cpu": "",
        "render_overlay_parallel": "",
        "process_framing": "T4",
        "process_framing_ai": "T4",
        "process_framing_ai_l4": "L4",
        "process_framing_ai_nvenc": "T4",
        "process_multi_clip_modal": "T4",
        "detect_players_modal": "T4",
        "detect_players_batch": "T4",
        "extract_clip_modal": "",
        "create_annotated_compilation": "",
    }
    assert {name: found[name].timeout_secs for name in ("render_overlay", "extract_clip_modal")} == {
        "render_overlay": 600,
        "extract_clip_modal": 300,
    }


def test_compat_runs_on_modal_with_progress_and_is_found_again(keys: str, tmp_path: Path) -> None:
    progress: list[tuple[float, str, str]] = []
    ids: list[str] = []
    result = compat.extract_clip(
        USER,
        f"{keys}/clip.mp4",
        f"{keys}/cut.mp4",
        0.0,
        1.0,
        executor="modal",
        progress_callback=lambda *said: progress.append(said),
        call_id_callback=ids.append,
    )
    assert (result["status"], result["frames_processed"]) == ("success", 30)
    assert ids[0].startswith("modal-cpu:")
    assert progress[-1] == (100.0, "Done", "done")
    assert compat.status(ids[0]) == "complete"
    assert compat.result(ids[0])["output_key"] == f"{keys}/cut.mp4"


def test_a_modal_that_cannot_be_asked_says_nothing_about_the_call(
    modal_service: ModalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reelproc.executors.modal.client.ModalExecutor.attach", _unreachable)
    assert compat.status("modal-t4:game-7") == "unknown"
    assert compat.result("modal-t4:game-7", root="s3://bucket")["status"] == "unknown"


def _unreachable(*_: object) -> None:
    raise rp.ExecutorError("Modal cannot be asked", transient=True)


@pytest.mark.parametrize(("root", "carried"), [("s3://reels/app", "s3://reels/app"), ("/srv/media", ""), ("", "")])
def test_containers_are_told_a_bucket_and_no_folder_of_this_machine(root: str, carried: str) -> None:
    assert reachable_root(root) == carried
