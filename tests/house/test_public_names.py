"""The public names: pinned, lazy, and what type checkers see is what there is."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import reelproc

HEAVY = ("cv2", "av", "torch", "modal", "boto3", "ultralytics", "numpy", "PIL", "pydantic", "rich", "click")

PUBLIC = {
    "AudioStream", "BackendError", "Banner", "Calibration", "Clip", "ClipSpan", "Concat", "Crop", "CropKeyframe",
    "Damage",
    "DecodeError", "DetectJob", "DetectResult", "Detection", "EncodeError", "Estimate", "Executor", "ExecutorError",
    "ExtractJob", "ExtractResult", "FollowResult", "Frame", "Framing", "FrameDetections", "Hardware",
    "HighlightKeyframe", "HighlightRegion", "JobCancelledError", "JobHandle", "JobLostError",
    "JobTimeoutError", "LostSpan", "MediaError", "MediaInfo", "MissingDependencyError", "ObjectNotFoundError",
    "OutOfMemoryError", "Output", "Overlay", "Plan", "ProbeError", "Progress", "Reel", "ReelprocError",
    "RenderJob", "RenderResult", "Rotate", "Sighting", "SpecError", "Speed", "SpeedSegment", "Stage",
    "StorageError", "Text", "TextElement", "TextPosition", "TextRegion", "TextShadow", "TextSpec",
    "TextStroke", "Upscale", "VideoReader", "VideoStream", "Still", "__version__", "contact_sheet",
    "detect_players", "estimate",
    "executor",
    "extract",
    "follow_player", "open_video", "plan", "preview", "probe", "read_reel", "render", "write_reel",
}  # fmt: skip


def test_the_public_names_are_these() -> None:
    assert set(reelproc.__all__) == PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_documented(name: str) -> None:
    value = getattr(reelproc, name)
    assert name == "__version__" or value.__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Real'"):
        _ = reelproc.Real  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    stub = ast.parse(Path(reelproc.__file__).with_suffix(".pyi").read_text())
    names = {a.asname for node in stub.body if isinstance(node, ast.ImportFrom) for a in node.names}
    names |= {node.target.id for node in stub.body if isinstance(node, ast.AnnAssign)}  # type: ignore[union-attr]
    assert names == PUBLIC


def test_importing_reelproc_loads_nothing_heavy() -> None:
    code = f"import sys, reelproc; print([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_plan_loads_no_numpy() -> None:
    code = (
        "import sys, reelproc as rp; from reelproc.demo.match import MATCH_CLIP; "
        "rp.plan(rp.Reel(clips=[rp.Clip(source=MATCH_CLIP, end=1)])); "
        "print([m for m in ('numpy', 'cv2', 'rich', 'click') if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_describing_a_reel_loads_no_media_library() -> None:
    media = ("cv2", "av", "torch", "modal", "boto3", "ultralytics", "PIL")
    code = (
        "import sys, reelproc as rp; stages = [rp.Crop(), rp.Overlay(), rp.Text()];"
        "rp.Reel(clips=[rp.Clip(source='a.mp4', stages=stages)]);"
        f"rp.RenderJob; print([m for m in {media!r} if m in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_module_lists_its_names_where_the_documentation_sends_a_reader() -> None:
    root = Path(reelproc.__file__).parent
    top = root.parents[1]
    pages = [*(top / "docs").rglob("*.md"), top / "README.md", *(top / "examples").rglob("*.py")]
    told = "\n".join(page.read_text() for page in pages if "decisions" not in page.parts)
    for path in root.rglob("*.py"):
        module = ".".join(("reelproc", *path.relative_to(root).with_suffix("").parts))
        gathers = path.name == "__init__.py" or module.startswith("reelproc.testing.")
        if not gathers and module != "reelproc.machine.posix" and "\n__all__" in path.read_text():
            assert module in told, f"{module} has a list of names, and no page says to import from it"
