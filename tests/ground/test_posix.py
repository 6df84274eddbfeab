"""On a system without POSIX modules (Windows) the first use says in one sentence what to do."""

from __future__ import annotations

import subprocess
import sys

import pytest

WITHOUT = "import sys; sys.modules.update(fcntl=None, resource=None)\n"
"""What makes this Python one of Windows, as far as imports go."""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", WITHOUT + code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "use", ["rp.probe('a.mp4')", "rp.open_video('a.mp4')", "rp.plan(None)", "rp.executor('local')", "rp.estimate(None)"]
)
def test_the_first_use_is_a_typed_error_with_the_remedy(use: str) -> None:
    code = f"import reelproc as rp\ntry: {use}\nexcept rp.MissingDependencyError as error: print(error)"
    done = run(code)
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.splitlines()
    assert line.startswith("reelproc runs on Linux and macOS; this Python has no module 'fcntl', as on Windows.")
    assert "WSL or in Docker" in line


def test_a_reel_can_be_described_anywhere() -> None:
    done = run("import reelproc as rp; print(rp.Reel(clips=[rp.Clip(source='a.mp4')]).model_dump_json()[:9])")
    assert done.stdout.startswith('{"version') or done.stdout.startswith('{"clips"'), done.stderr


@pytest.mark.parametrize("command", [["probe", "a.mp4"], ["doctor"], ["get", "https://a.example/b.mp4", "b.mp4"]])
def test_every_command_says_it_without_a_traceback(command: list[str]) -> None:
    done = run(f"from reelproc.cli import main; sys.argv[1:] = {command!r}; main()")
    assert done.returncode == 1
    assert done.stderr.startswith("error: reelproc runs on Linux and macOS")
    assert "Traceback" not in done.stderr


def test_the_help_is_there_anywhere() -> None:
    assert "Usage" in run("from reelproc.cli import main; sys.argv[1:] = ['--help']; main()").stdout
