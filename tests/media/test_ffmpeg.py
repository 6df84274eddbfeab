"""The supervision of ffmpeg children: how they end, and who notices."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

import reelproc as rp
from reelproc.media.ffmpeg import FFmpegProcess

SHORT = ("-f", "lavfi", "-i", "color=s=16x16:r=25:d=1", "-f", "null", "-")
ENDLESS = ("-re", "-f", "lavfi", "-i", "color=s=16x16:r=25", "-f", "null", "-")


@pytest.fixture(params=["told by the system", "looked for"])
def noticed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of noticing that a child has ended."""
    if request.param == "told by the system":
        if sys.platform != "linux":
            pytest.skip("only Linux tells")
        return

    def refuse(*_: object) -> int:
        raise OSError("too many open files")

    monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)


@pytest.mark.usefixtures("noticed")
def test_a_child_that_ends_gives_its_status() -> None:
    with FFmpegProcess(SHORT) as child:
        assert child.wait(20) == 0
        assert child.wait(20) == 0  # again, of one that is gone


@pytest.mark.usefixtures("noticed")
def test_a_child_that_does_not_end_in_time_is_killed() -> None:
    with FFmpegProcess(ENDLESS, error=rp.EncodeError) as child:
        with pytest.raises(rp.EncodeError, match=re.escape("did not end within 0.3 s and was killed")):
            child.wait(0.3)
        assert child.poll() == -9


@pytest.mark.usefixtures("noticed")
def test_waiting_for_children_leaves_no_file_open() -> None:
    before = sorted(Path("/dev/fd").iterdir())
    for _ in range(3):
        with FFmpegProcess(SHORT) as child:
            child.check(20)
    assert sorted(Path("/dev/fd").iterdir()) == before
