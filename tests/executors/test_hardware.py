"""What this machine lets us use: the least of what it has, what we are bound to, and what the container allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reelproc.executors import hardware
from reelproc.machine import cores


@pytest.fixture
def cgroup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cores, "CGROUP", tmp_path)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    (tmp_path / "cpu").mkdir()
    (tmp_path / "memory").mkdir()
    return tmp_path


def test_without_a_container_it_is_the_machine(cgroup: Path) -> None:
    assert hardware.this_machine().cores == 8
    assert hardware.this_machine().memory_bytes == os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert hardware.this_machine().usd_per_second == 0


def test_cgroup_2_limits_cores_and_memory(cgroup: Path) -> None:
    (cgroup / "cpu.max").write_text("150000 100000\n")
    (cgroup / "memory.max").write_text(f"{1 << 28}\n")
    assert (hardware.this_machine().cores, hardware.this_machine().memory_bytes) == (1.5, 1 << 28)
    (cgroup / "cpu.max").write_text("max 100000\n")
    (cgroup / "memory.max").write_text("max\n")
    assert hardware.this_machine().cores == 8
    assert hardware.this_machine().memory_bytes > 1 << 28


def test_cgroup_1_limits_cores_and_memory(cgroup: Path) -> None:
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("200000\n")
    (cgroup / "cpu" / "cpu.cfs_period_us").write_text("100000\n")
    (cgroup / "memory" / "memory.limit_in_bytes").write_text(f"{1 << 28}\n")
    assert (hardware.this_machine().cores, hardware.this_machine().memory_bytes) == (2.0, 1 << 28)
    (cgroup / "cpu" / "cpu.cfs_quota_us").write_text("-1\n")
    assert hardware.this_machine().cores == 8
