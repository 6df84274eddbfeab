"""A room imports only rooms below it, and no module one that imports it. Imports for type checkers count."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reelproc

ROOT = Path(reelproc.__file__).parent
ROOMS = (
    ("errors", "suggestions", "callable_module", "__init__"),
    ("machine", "logs", "notebook", "timing", "files", "folders", "registry", "retries", "ratings"),
    ("schema", "model_reprs", "validation_messages", "registered_models"),
    ("results",), ("keyframes",), ("storage",), ("pixels",), ("drawing",), ("media",), ("job_context",), ("detectors",),
    ("upscalers",), ("stages",), ("reel",), ("reel_file", "annotations"), ("render",), ("jobs",), ("prices",),
    ("executors",), ("cost", "shortcuts"), ("players",), ("compat",), ("modal_app",), ("demo",), ("cli", "testing"),
    ("__main__",),
)  # fmt: skip
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


STANDING = {
    ("cost.calibration", "cost.learning"),
    ("detectors.run", "jobs"),
    ("storage.range_server", "storage.partial_file"),
    ("storage.stand_in", "storage.partial_file"),
    ("storage.source", "storage.stand_in"),
    ("storage.stand_in", "storage.ranged_source"),
}
"""Imports that close a circle and are still to be turned: ``(importer, imported)``. The list only shrinks."""

MODULES = sorted(p for p in ROOT.rglob("*.py") if p.name != "__init__.py" or p.parent != ROOT)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


NAMES = {module_name(path) for path in MODULES}


def imported(path: Path) -> set[str]:
    """Modules of the package that one imports; for type checkers alone, or inside a function, counts as well."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name.removeprefix("reelproc.") for alias in node.names if "reelproc." in alias.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reelproc":
            parent = (node.module or "").removeprefix("reelproc").removeprefix(".")
            children = {f"{parent}.{alias.name}".removeprefix(".") for alias in node.names}
            found.update(child if child in NAMES else parent for child in children)
    return found - {module_name(path), ""}


GRAPH = {module_name(path): imported(path) for path in MODULES}


@pytest.mark.parametrize("name", GRAPH)
def test_a_module_imports_only_rooms_below_its_own(name: str) -> None:
    own = name.split(".", maxsplit=1)[0]
    assert own in FLOOR, f"{own} is a room that docs/architecture.md and this test do not know"
    above = {one for one in GRAPH[name] if FLOOR[one.split(".")[0]] > FLOOR[own] and (name, one) not in STANDING}
    assert not above, f"{name} imports {above}"


def test_no_module_is_imported_by_what_it_imports() -> None:
    graph = {name: {one for one in imports if (name, one) not in STANDING} for name, imports in GRAPH.items()}
    list(TopologicalSorter(graph).static_order())  # a CycleError shows the circle


def test_no_import_is_listed_that_is_gone() -> None:
    gone = {(importer, one) for importer, one in STANDING if one not in GRAPH.get(importer, ())}
    assert not gone, "these circles are open: take them out of STANDING"
