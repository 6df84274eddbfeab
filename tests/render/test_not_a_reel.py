"""What people give for a reel: a clip, several, a file's name, a dict. The message says how a reel is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import reelproc as rp

CLIP = rp.Clip(source="game.mp4")
TAKES: dict[str, Callable[[Any], object]] = {
    "plan": rp.plan,
    "preview": lambda what: rp.preview(what, time=0),
    "contact_sheet": lambda what: rp.contact_sheet(what, "sheet.png"),
    "estimate": rp.estimate,
    "render": lambda what: rp.render(what, "out.mp4", executor="mock"),
}


@pytest.mark.parametrize("take", TAKES.values(), ids=TAKES)
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (CLIP, "expected a Reel (got Clip(source='game.mp4')); make one: rp.Reel(clips=[clip])"),
        ([CLIP], "expected a Reel (got [Clip(source='game.mp4')]); make one: rp.Reel(clips=...)"),
        ("reel.json", "expected a Reel (got 'reel.json'); read its file with rp.read_reel"),
        (Path("reel.json"), "read its file with rp.read_reel"),
        (7, "expected a Reel (got 7)"),
    ],
    ids=["clip", "clips", "name", "path", "number"],
)
def test_what_is_no_reel_is_told_how_to_become_one(take: Callable[[Any], object], given: object, said: str) -> None:
    with pytest.raises(rp.SpecError) as caught:
        take(given)
    assert said in str(caught.value)


def test_a_dict_is_a_reel_for_a_job_and_told_of_validation_elsewhere() -> None:
    assert rp.RenderJob.model_validate({"reel": {"clips": [{"source": "game.mp4"}]}, "output": "out.mp4"}).reel.clips
    with pytest.raises(rp.SpecError, match=r"rp\.Reel\.model_validate"):
        rp.plan({"clips": [{"source": "game.mp4"}]})  # type: ignore[arg-type]


def test_a_model_of_another_kind_is_named() -> None:
    with pytest.raises(rp.SpecError, match=r"output: expected an Output \(got Concat\(\)\)$"):
        rp.Reel(clips=[CLIP], output=rp.Concat())  # type: ignore[arg-type]
    with pytest.raises(rp.SpecError, match=r"fps: a frame rate is a number or a fraction .* \(got 'abc'\)$"):
        rp.Output(fps="abc")


def test_a_picture_for_a_folder_that_is_not_there_names_the_folder(tmp_path: Path) -> None:
    from PIL import Image

    from reelproc.render.still import save_image

    with pytest.raises(rp.StorageError, match=r"there is no folder .*none for a\.png; create it first") as caught:
        save_image(Image.new("RGB", (2, 2)), tmp_path / "none" / "a.png")
    assert caught.value.bad_input
