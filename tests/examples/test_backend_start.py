"""The example backend's command: what it says when it cannot start, and where it keeps things."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from backend.settings import Settings
from backend_server import EXAMPLES


def test_a_port_that_is_taken_is_said_at_once_and_in_plain_words(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "backend", "--demo", "--port", str(port), "--data", str(tmp_path / "data")]
        done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot serve on 127.0.0.1, port {port}: Address already in use. Stop what uses it")
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""  # no match was drawn first
    assert not (tmp_path / "data").exists()


def test_what_the_server_keeps_by_default_is_no_part_of_the_checkout() -> None:
    ignored = (EXAMPLES.parent / ".gitignore").read_text().splitlines()
    assert f"/examples/{Settings().data}/" in ignored
