"""Every check of this project, each in an environment of its own: ``nox -s tests``, ``nox -l`` lists them all."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "typing", "tests", "docs", "examples"]

LINT = nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]["lint"]


@nox.session
def lint(session: nox.Session) -> None:
    """Ruff: lint and format."""
    session.install(*(each for each in LINT if each.startswith("ruff")))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Mypy, strict, over the package, the examples and the benchmarks."""
    session.install("-e", ".[lint,modal,backend,testing]", "nox")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """The whole suite; what follows ``--`` goes to pytest."""
    session.install("-e", ".[test]")
    session.run("pytest", *session.posargs)


@nox.session(name="tests-local")
def tests_local(session: nox.Session) -> None:
    """The executor suites on the local executor."""
    session.install("-e", ".[test]")
    session.run("pytest", "-k", "local or Local", "tests/executors", "tests/compat", *session.posargs)


@nox.session(name="tests-browser")
def tests_browser(session: nox.Session) -> None:
    """Joined files and the example backend's page in Chromium (apt-get install chromium chromium-driver)."""
    session.install("-e", ".[test]")
    session.run("pytest", "--extras", "browser", "tests/browser", *session.posargs)


@nox.session(name="load-backend")
def load_backend(session: nox.Session) -> None:
    """Load the example backend while its server, workers and disk fail; ``-- --exports 20`` for fewer than 50."""
    session.install("-e", ".[backend]")
    session.chdir("tests/support")
    session.run("python", "-m", "backend_load", *session.posargs)


@nox.session(name="tests-heavy")
def tests_heavy(session: nox.Session) -> None:
    """Networks, beside the official packages, and the real detector (Python 3.12 or older); torch is 5.6 GB.

    ``-- tests/ai`` runs one of the two folders. ultralytics brings a second OpenCV into this environment; the two have
    one version and share one folder.
    """
    session.install("torch==2.14.1", "torchvision==0.29.1")
    session.install("-e", ".[test,ai,onnx,detect]", "setuptools", "wheel", "scipy", "tqdm", "requests", "pyyaml")
    session.install("--no-deps", "--no-build-isolation", "basicsr==1.4.2", "realesrgan==0.3.0")
    session.run("pytest", "--extras", "ai,detect", *(session.posargs or ("tests/ai", "tests/detect")))


@nox.session(name="tests-modal-cpu")
def tests_modal_cpu(session: nox.Session) -> None:
    """The executor suite, renders and faults on modal-cpu; with REELPROC_MODAL_LIVE=1 the suite on the real Modal."""
    _tests_modal(session, "ModalCpu")


@nox.session(name="tests-modal-t4")
def tests_modal_t4(session: nox.Session) -> None:
    """The same on modal-t4."""
    _tests_modal(session, "ModalT4")


@nox.session(name="tests-modal-l4")
def tests_modal_l4(session: nox.Session) -> None:
    """The same on modal-l4."""
    _tests_modal(session, "ModalL4")


def _tests_modal(session: nox.Session, suite: str) -> None:
    session.install("-e", ".[test]")
    session.run("pytest", "-k", f"{suite} or test_modal", "tests/executors", "tests/compat", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Thousands of broken files and senseless jobs; ``-- --count N`` says how many."""
    session.install("-e", ".[test]")
    session.chdir("tests/support")
    session.run("python", "-m", "fuzz", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into docs/_build, warnings as errors."""
    session.install("-e", ".[docs]")
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def examples(session: nox.Session) -> None:
    """Every script in examples/, run as a newcomer would."""
    session.install("-e", ".[test]")
    session.run("pytest", "tests/examples/test_examples.py", *session.posargs)


@nox.session
def experiments(session: nox.Session) -> None:
    """Run the experiments, small, on this machine; arguments after ``--`` go to each, e.g. ``--repeats 6``."""
    session.install("-e", ".[report]")
    session.run("reelproc", "experiment", "e1", "e2", "e7", "e8", "e9", *session.posargs)


@nox.session(name="install-all")
def install_all(session: nox.Session) -> None:
    """Install the ``all`` extra together, with one working OpenCV."""
    session.install(".[all]")
    session.run("python", "-c", "import cv2, reelproc; print(cv2.__version__, cv2.resize)")
    frozen = session.run("python", "-m", "pip", "list", silent=True)
    names = [line.split()[0] for line in str(frozen).splitlines() if line.startswith("opencv")]
    if names != ["opencv-python-headless"]:
        session.error(f"expected one OpenCV, got {names}: two of them overwrite each other")


@nox.session
def kills(session: nox.Session) -> None:
    """Kill at random, a hundred times in a row; arguments after ``--`` go to the run, e.g. ``--count 500``."""
    session.install("-e", ".[test]")
    session.chdir("tests/support")
    session.run("python", "-m", "fuzz.kills", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """All benchmarks; their figures go to benchmarks/results."""
    session.install("-e", ".")
    for name in ("startup", "reading", "resample", "rendering"):
        session.run("python", f"benchmarks/{name}.py", *session.posargs)
    session.run("python", "benchmarks/memory.py")
