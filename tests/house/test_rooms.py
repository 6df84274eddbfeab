"""A room imports only rooms below it, and no module one that imports it. Imports for type checkers count."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import reelproc
from doc_pages import DOCS

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
    above = {one for one in GRAPH[name] if FLOOR[one.split(".")[0]] > FLOOR[own]}
    assert not above, f"{name} imports {above}"


def test_no_module_is_imported_by_what_it_imports() -> None:
    list(TopologicalSorter(GRAPH).static_order())  # a CycleError shows the circle


# ---- the laboratory is a program on top of the library

LAB = ROOT.parent / "reelproc_lab"


def imports(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of every import in a file; an ``import module`` has an empty name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def documented() -> set[str]:
    """Return what docs/reference names, as ``module.name``: by a directive, or in backquotes."""
    names: set[str] = set()
    for page in (DOCS / "reference").glob("*.md"):
        text = page.read_text()
        names |= set(re.findall(r"`~?(reelproc\.[\w.]+)`", text))
        module = ""
        for directive, name, options in re.findall(r"^\.\. (\w+):: (\S+)\n((?:   .*\n)*)", text, re.MULTILINE):
            members = re.search(r":members: (.+)", options)
            if directive in ("currentmodule", "module"):
                module = name
            elif directive == "automodule" and members:
                names |= {f"{name}.{member.strip()}" for member in members[1].split(",")}
            elif directive.startswith("auto"):
                names.add(name if name.startswith("reelproc") else f"{module}.{name}")
    return names


def test_the_library_does_not_know_the_laboratory() -> None:
    known = {f"{path.relative_to(ROOT)}: {module}" for path in MODULES for module, _ in imports(path)}
    assert {each for each in known if "reelproc_lab" in each} == set()


def test_the_laboratory_uses_what_the_reference_names_and_nothing_else() -> None:
    public = documented() | {f"reelproc.{name}" for name in reelproc.__all__} | {"reelproc."}
    used = {
        f"{module}.{name}": path.relative_to(LAB).as_posix()
        for path in sorted(LAB.rglob("*.py"))
        for module, name in imports(path)
        if module.split(".")[0] == "reelproc"
    }
    assert {name: path for name, path in used.items() if name not in public} == {}
