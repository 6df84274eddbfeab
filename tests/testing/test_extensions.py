"""The suites as an extension's author meets them: inherited in a test module of another package."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from doc_pages import DOCS
from extension_wheel import PACKAGE
from waiting import LONG

FILE = re.compile(r"```python\n# (\w+\.py)\n(.*?)```", re.DOTALL)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The Python files of the page, written to a folder."""
    for name, content in FILE.findall((DOCS / "reference" / "extending.md").read_text()):
        (tmp_path / name).write_text(content)
    (tmp_path / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    return tmp_path


def run_pytest(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *options, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LONG, check=False)


def test_the_stage_of_the_documentation_passes_its_suite(package: Path) -> None:
    ran = run_pytest(package)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"^1\d passed in", ran.stdout, re.MULTILINE), ran.stdout


def test_the_stage_of_the_documentation_is_that_of_the_package_that_is_rendered_with(
    package: Path,
) -> None:
    installed = PACKAGE / "example_extension" / "watermark.py"
    assert (package / "watermark.py").read_text() == installed.read_text()


def test_a_stage_that_breaks_a_promise_fails_and_the_values_are_shown(package: Path) -> None:
    stage = package / "watermark.py"
    honest = "if any(start <= time <= end for start, end in spans):"
    assert honest in stage.read_text()
    stage.write_text(stage.read_text().replace(honest, "if spans:"))
    ran = run_pytest(package)
    assert "test_frames_outside_its_active_spans_come_out_as_they_went_in" in ran.stdout
    assert "1 failed" in ran.stdout
    assert "where False = <function array_equal" in ran.stdout, "assertions are rewritten"


def test_without_pytest_the_suites_say_what_to_install_and_the_mock_works(tmp_path: Path) -> None:
    (tmp_path / "pytest.py").write_text("raise ModuleNotFoundError('No module named pytest', name='pytest')")
    code = """
import reelproc as rp
from reelproc.testing import MockExecutor
with MockExecutor() as executor:
    executor.submit(rp.ExtractJob(source="a.mp4", output="b.mp4")).result()
try:
    from reelproc.testing import StageSuite
except rp.MissingDependencyError as error:
    print(error)
"""
    said = subprocess.check_output([sys.executable, "-c", code], cwd=tmp_path, text=True, timeout=LONG)
    assert said == "the conformance suites need pytest, which is not installed; pip install 'reelproc[testing]'\n"
