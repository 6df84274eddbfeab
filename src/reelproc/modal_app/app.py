"""The app that runs jobs on Modal: ``modal deploy -m reelproc.modal_app.app``, or ``reelproc modal deploy``.

One class without a GPU; clients turn it into a T4, an L4 or a CPU container with the options of a preset
(:mod:`.modal_presets`). The source of this very package is shipped, with the dependencies that it was installed with,
so that the deployed version is the deploying machine's.

Beside it, the functions of :mod:`reelproc.compat` under the app's names, each on its own hardware, for scripts that
call ``modal.Function.from_name(APP, "render_overlay").remote(...)``.

Five variables are read at deployment and carried into the image:

- ``REELPROC_MODAL_APP``: the app's name, ``reelproc`` by default.
- ``REELPROC_MODAL_SECRETS``: names of Modal secrets, separated by commas, ``reelproc-storage`` by default; they hold
  what storage needs (``R2_ENDPOINT_URL``, ...). Empty: none.
- ``REELPROC_MODAL_EXTRAS``: extras of reelproc to install in the image besides ``s3``; ``ai`` by default, which is what
  networks need. Empty: none.
- ``REELPROC_MODAL_MODULES``: modules of this machine to ship besides reelproc: your stages or kinds of jobs. If they
  are of an installed package, its entry points are shipped, too.
- ``REELPROC_STORAGE_ROOT``: where the keys of the functions called by name are; without it, the bucket that
  ``R2_BUCKET_NAME`` names in a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import modal

from reelproc.compat.deployed import run_by_name
from reelproc.compat.functions import FUNCTIONS
from reelproc.executors.modal.chunk_containers import ModalChunks
from reelproc.executors.modal.presets import APP_NAME, COORDINATOR, PRESETS
from reelproc.executors.modal.records import DICT_NAME, EventPages
from reelproc.executors.modal.worker import Container, ModalRequest
from reelproc.job_context import Delegate
from reelproc.jobs import Job
from reelproc.storage import scheme_of

WEIGHTS = "/reelproc"


def reachable_root(root: str) -> str:
    """Return the root, unless it is a folder of the deploying machine."""
    return root if scheme_of(root) == "s3" else ""


SETTINGS = {
    "REELPROC_MODAL_APP": os.environ.get("REELPROC_MODAL_APP", APP_NAME),
    "REELPROC_MODAL_SECRETS": os.environ.get("REELPROC_MODAL_SECRETS", "reelproc-storage"),
    "REELPROC_MODAL_MODULES": os.environ.get("REELPROC_MODAL_MODULES", ""),
    "REELPROC_MODAL_EXTRAS": os.environ.get("REELPROC_MODAL_EXTRAS", "ai"),
    "REELPROC_STORAGE_ROOT": reachable_root(os.environ.get("REELPROC_STORAGE_ROOT", "")),
}


def _names(setting: str) -> list[str]:
    return [name.strip() for name in SETTINGS[setting].split(",") if name.strip()]


def _requirements() -> list[str]:
    """Return the image's requirements: this installation's versions of what reelproc and the chosen extras ask for."""
    extras = {"s3", "", *_names("REELPROC_MODAL_EXTRAS")}
    wanted = []
    for line in metadata.requires("reelproc") or []:
        requirement, _, marker = line.partition(";")
        match = re.search(r"extra == ['\"]([\w-]+)['\"]", marker)
        if (match[1] if match else "") not in extras or requirement.startswith("reelproc"):
            continue
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        try:
            wanted.append(f"{name[0]}=={metadata.version(name[0])}" if name else requirement.strip())
        except metadata.PackageNotFoundError:  # not installed where it is deployed from
            wanted.append(requirement.strip())
    return sorted(wanted)


def _entry_points(modules: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the files, here and in the image, that say what the packages of shipped modules add to reelproc."""
    for package in metadata.distributions():
        points = (point for point in package.entry_points if point.group.startswith("reelproc."))
        if any(point.module.partition(".")[0] in modules for point in points):
            for file in package.files or ():
                if file.name in ("METADATA", "entry_points.txt"):
                    yield str(file.locate()), f"/root/{file}"


def _not_shipped(path: Path) -> bool:
    return "__pycache__" in path.parts or path.suffix == ".pyc"


image = modal.Image.debian_slim(python_version="3.11")
if modal.is_local():  # in the container the image is there already, and the package's metadata is not
    image = image.uv_pip_install(*_requirements())
    image = image.env({**SETTINGS, "REELPROC_HOME": f"{WEIGHTS}/home"})
    # not only .py files, as is Modal's default: the fonts are data
    image = image.add_local_python_source("reelproc", ignore=_not_shipped)
    if modules := _names("REELPROC_MODAL_MODULES"):
        image = image.add_local_python_source(*modules, ignore=_not_shipped)
    for _here, _there in _entry_points(modules):
        image = image.add_local_file(_here, _there)

app = modal.App(SETTINGS["REELPROC_MODAL_APP"])
_default = PRESETS["modal-cpu"]
_common: dict[str, Any] = {
    "image": image,
    "scaledown_window": 60,
    "volumes": {WEIGHTS: modal.Volume.from_name("reelproc-weights", create_if_missing=True)},
    "secrets": [modal.Secret.from_name(name) for name in _names("REELPROC_MODAL_SECRETS")],
}


@app.cls(
    **_common,
    cpu=_default.cores,
    memory=_default.memory_mib,
    timeout=_default.timeout_seconds,
    # only what another attempt may help is raised (see executors/modal/worker.py), so only that is repeated
    retries=modal.Retries(max_retries=2, initial_delay=1.0, backoff_coefficient=2.0),
)
class Worker:
    """A container that does jobs."""

    @modal.enter()
    def start(self) -> None:
        """Once per container."""
        self.container = Container()

    @modal.method()
    def run(self, request: str) -> str:
        """Do the job of a :class:`~reelproc.executors.modal.worker.ModalRequest`; its outcome, as JSON."""
        call = modal.current_function_call_id() or "none"
        pages = modal.Dict.from_name(DICT_NAME, create_if_missing=True)
        with EventPages(pages, call, lost=(modal.exception.Error, OSError)).running() as events:
            return self.container.run(
                request,
                events,
                lambda job, asked: ModalChunks(job, asked, app=SETTINGS["REELPROC_MODAL_APP"], pages=pages).delegate,
            )


_container = Container()


def _by_name(name: str) -> Any:
    """Return the function that Modal knows as ``name``. It must be found in this module, in the container too."""

    def function(*args: Any, **kwargs: Any) -> dict[str, Any]:
        pages = modal.Dict.from_name(DICT_NAME, create_if_missing=True)

        def delegating(job: Job, asked: ModalRequest) -> Delegate:
            return ModalChunks(job, asked, app=SETTINGS["REELPROC_MODAL_APP"], pages=pages).delegate

        return run_by_name(name, args, kwargs, container=_container, delegating=delegating)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = FUNCTIONS[name].__doc__
    place = COORDINATOR if name == "render_overlay_parallel" else PRESETS[FUNCTIONS[name].preset]
    options = place.options | {"timeout": FUNCTIONS[name].timeout_seconds}
    return app.function(name=name, **_common, **options)(function)


for _name in FUNCTIONS:
    globals()[_name] = _by_name(_name)
