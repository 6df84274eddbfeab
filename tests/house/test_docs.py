"""The documentation names what there is, all of it and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import reelproc
from doc_pages import DOCS
from reelproc.cli import app
from reelproc.cli.commands import COMMANDS
from reelproc.media.write.encoders import ENCODERS
from reelproc.reel import Reel
from reelproc.reel_file import read_reel, write_reel

REFERENCE = DOCS / "reference"


def test_every_public_name_is_in_the_reference() -> None:
    text = "\n".join(page.read_text() for page in REFERENCE.glob("*.md"))
    listed = set(re.findall(r"^\.\. auto(?:class|function|module):: (?:reelproc\.)?(\w+)$", text, re.MULTILINE))
    assert set(reelproc.__all__) - listed == {"__version__"}


def test_every_command_is_in_the_reference_with_its_help() -> None:
    text = (REFERENCE / "command-line.md").read_text()
    shown = re.findall(r"^### (\w+)\n\n```\{command-help\} (\w+)\n```$", text, re.MULTILINE)
    assert all(heading == command for heading, command in shown)
    context = app.make_context("reelproc", ["probe"])
    assert sorted(command for _, command in shown) == app.list_commands(context)
    groups = re.split(r"^## (.+)\n", text, flags=re.MULTILINE)
    placed = {
        title: tuple(re.findall(r"^### (\w+)$", body, re.MULTILINE))
        for title, body in zip(groups[1::2], groups[2::2], strict=True)
    }
    shown_in_help = {title: tuple(commands) for title, commands in COMMANDS.by_group().items()}
    assert list(placed.items()) == list(shown_in_help.items()), "in the order of the help"


def test_every_environment_variable_is_in_the_reference() -> None:
    root = Path(reelproc.__file__).parent
    tests = DOCS.parent / "tests"
    files = [*root.rglob("*.py"), tests / "conftest.py", *(tests / "support").glob("*.py")]
    code = "\n".join(path.read_text() for path in files)
    # in quotes or not, but not the shell completion's, which click makes up: _REELPROC_COMPLETE
    used = set(re.findall(r"(?<![A-Z_])REELPROC_(?!BACKEND_)[A-Z_]+", code))
    listed = set(re.findall(r"^\| `(REELPROC_\w+)` \|", (REFERENCE / "environment.md").read_text(), re.MULTILINE))
    assert listed == used


def test_the_complete_example_of_a_reel_is_complete(tmp_path: Path) -> None:
    text = (REFERENCE / "example-reel.json").read_text()
    data = json.loads(text)
    reel = Reel.model_validate(data)
    assert reel.model_dump(mode="json") == data, "a field is missing or was renamed"
    write_reel(reel, tmp_path / "again.json")
    assert (tmp_path / "again.json").read_text() == text
    assert fields(data) == fields_of_the_schema()


def fields(data: Any) -> set[str]:
    """The names of all fields in JSON data, at any depth."""
    if isinstance(data, dict):
        return set(data).union(*map(fields, data.values()))
    return set().union(*map(fields, data)) if isinstance(data, list) else set()


def fields_of_the_schema() -> set[str]:
    """The names of all fields that a reel and what is in it can have."""
    schema = Reel.model_json_schema()
    return set().union(*(part.get("properties", {}) for part in (schema, *schema["$defs"].values())))


def test_the_small_example_of_a_reel_is_one(tmp_path: Path) -> None:
    text = (REFERENCE / "reel-json.md").read_text()
    block = re.search(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    (tmp_path / "small.json").write_text(block[1])
    assert len(read_reel(tmp_path / "small.json").clips) == 1


@pytest.mark.parametrize("name", ENCODERS)
def test_the_table_of_encoders_says_what_they_do(name: str) -> None:
    encoder = ENCODERS[name]
    text = (DOCS / "how-to" / "choose-an-encoder.md").read_text()
    (row,) = re.findall(rf"^\| `{name}`(.*)\|$", text, re.MULTILINE)
    cells = [cell.strip() for cell in row.split("|")]
    codec, preset, presets, crf, worst, needs = cells[1:]
    assert codec.replace(".", "").lower() == encoder.codec
    assert preset == f"`{encoder.preset}`"
    assert re.findall(r"`([^`]+)`", presets) == [encoder.presets[0], encoder.presets[-1]]
    assert (float(crf), int(worst)) == (encoder.crf, encoder.crf_max)
    assert needs == (encoder.hardware or "")


def test_every_page_is_linked_from_somewhere() -> None:
    pages = {p.relative_to(DOCS).with_suffix("").as_posix() for p in DOCS.rglob("*.md") if "_build" not in p.parts}
    linked = {"index"}
    for page in DOCS.rglob("*.md"):
        for tree in re.findall(r"^```\{toctree\}\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            folder = page.parent.relative_to(DOCS)
            linked |= {(folder / e).as_posix() for e in tree.split("\n") if e.strip() and not e.startswith(":")}
    assert linked == pages
