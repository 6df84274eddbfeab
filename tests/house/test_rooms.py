"""A room imports only rooms below it."""

from __future__ import annotations

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reelproc

ROOT = Path(reelproc.__file__).parent
ROOMS = (
    ("errors", "suggestions", "callable_module", "__init__"),
    ("machine", "logs", "notebook", "timing", "files", "registry", "retries", "ratings"),
    ("schema", "model_reprs", "validation_messages", "registered_models"),
    ("results",), ("keyframes",), ("storage",), ("pixels",), ("drawing",), ("media",), ("job_context",), ("detectors",),
    ("upscalers",), ("stages",), ("reel",), ("reel_file", "annotations"), ("render",), ("jobs",), ("prices",),
    ("executors",), ("cost", "shortcuts"), ("players",), ("compat",), ("modal_app",), ("demo",), ("cli", "testing"),
    ("__main__",),
)  # fmt: skip
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return parts[1]


def imported(path: Path) -> set[str]:
    """Rooms that a module imports to run: imports for type checkers alone do not count."""
    tree = ast.parse(path.read_text())
    names: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for child in node.orelse:
                visit(child)
            return
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "reelproc":
            parts = node.module.split(".")
            names.update([parts[1]] if len(parts) > 1 else [a.name for a in node.names if a.name in FLOOR])
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(tree)
    return names


MODULES = sorted(p for p in ROOT.rglob("*.py") if p.name != "__init__.py" or p.parent != ROOT)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_a_module_imports_only_rooms_below_its_own(path: Path) -> None:
    own = room_of(path)
    assert own in FLOOR, f"{own} is a room that docs/architecture.md and this test do not know"
    above = {room for room in imported(path) if FLOOR[room] > FLOOR[own]}
    # run_job, the one function that does a job, is called with what it needs from above it: nothing
    assert not above, f"{own} imports {above}"


STANDING = {
    ("cost.calibration", "cost.learning"),
    ("detectors.run", "jobs"),
    ("storage.range_server", "storage.partial_file"),
    ("storage.stand_in", "storage.partial_file"),
    ("storage.source", "storage.stand_in"),
    ("storage.stand_in", "storage.ranged_source"),
}
"""Imports that close a circle and are still to be turned: ``(importer, imported)``. The list only shrinks."""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix("__init__").rstrip(".")


def imported_modules(path: Path, names: set[str]) -> set[str]:
    """Modules of the package that one imports, for type checkers alone or inside a function too."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "reelproc":
            parent = (node.module or "").removeprefix("reelproc").removeprefix(".")
            for alias in node.names:
                child = f"{parent}.{alias.name}".removeprefix(".")
                found.add(child if child in names else parent)
    return found - {module_name(path)}


def test_no_module_is_imported_by_what_it_imports() -> None:
    names = {module_name(path) for path in MODULES}
    graph = {module_name(path): imported_modules(path, names) for path in MODULES}
    opened = {(importer, one) for importer, one in STANDING if one not in graph.get(importer, ())}
    assert not opened, "these circles are open: take them out of STANDING"
    for importer, one in STANDING:
        graph[importer].discard(one)
    list(TopologicalSorter(graph).static_order())  # a CycleError shows the circle
