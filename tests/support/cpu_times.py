"""Sum the CPU seconds of each test and of each fixture's set-up: ``pytest --cpu-times FILE``.

The seconds are those of this process and of all its descendants, those that still run too. The wall time that
``--durations`` shows depends on what else the machine does; these hardly do. Run one process (no ``-n``).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from processes import children

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
USER, SYSTEM = 11, 12  # fields of /proc/PID/stat after the command's name; those of the dead children follow


def cpu_seconds() -> float:
    """Return the CPU seconds of this process, its dead children, and its living descendants with theirs."""
    total = sum(os.times()[:4])
    for pid in children():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(map(int, fields[USER : USER + 4])) / TICKS_PER_SECOND
    return total


class CpuTimes:
    """The plugin: writes ``{"tests": {id: seconds}, "fixtures": {name: seconds}, "total": seconds}``."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tests: dict[str, float] = {}
        self._fixtures: dict[str, float] = defaultdict(float)
        self._within = [0.0]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Time a test with the fixtures that are first needed by it."""
        begin = cpu_seconds()
        result = yield
        self._tests[item.nodeid] = round(cpu_seconds() - begin, 3)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[object]) -> Iterator[None]:
        """Time a fixture without those that it needs."""
        begin = cpu_seconds()
        self._within.append(0.0)
        try:
            return (yield)
        finally:
            seconds = cpu_seconds() - begin
            self._fixtures[f"{fixturedef.baseid}::{fixturedef.argname}"] += round(seconds - self._within.pop(), 3)
            self._within[-1] += seconds

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        found = {"tests": self._tests, "fixtures": dict(self._fixtures), "total": round(cpu_seconds(), 2)}
        self._path.write_text(json.dumps(found, indent=1))
