"""What the simulation writes down is whole, and says everywhere that it is one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from doc_pages import DOCS
from reelproc.errors import SpecError, StorageError
from reelproc_lab.simulation.report import LABEL, Simulation, markdown, simulate, write_simulation


@pytest.fixture(scope="module")
def found() -> Simulation:
    return simulate(jobs_per_day=300)


def test_everything_is_labelled(found: Simulation, tmp_path: Path) -> None:
    written = {path.name: path.read_text() for path in write_simulation(found, tmp_path / "new" / "folder")}
    assert sorted(written) == ["knee.svg", "replay.svg", "simulation.json", "simulation.md"]
    assert all("SIMULATION" in text for text in written.values())
    data = json.loads(written["simulation.json"])
    assert data["simulated"] is True
    assert all(day["simulated"] is True for day in data["days"])
    assert Simulation.model_validate(data) == found
    assert sorted(p.name for p in (tmp_path / "new" / "folder").iterdir()) == sorted(written)


def test_the_page_holds_every_run_every_day_and_every_source(found: Simulation) -> None:
    text = markdown(found)
    assert text.startswith(f"# Simulation\n\n**{LABEL}**")
    assert all(f"| {run.name} |" in text for run in found.replayed)
    assert all(p.source in text for p in (*found.parameters, *found.assumed))
    assert text.count(" (knee)") == 1
    assert "replay.svg" not in text


def test_a_measured_rate_takes_the_assumed_ones_place() -> None:
    found = simulate(jobs_per_day=100, seconds_per_frame=0.3, executor="modal-l4")
    (rate,) = [p for p in found.assumed if p.name == "seconds_per_frame"]
    assert (rate.value, rate.source, found.fleet.seconds_per_frame) == (0.3, "given", 0.3)
    assert found.fleet.usd_per_second > simulate(jobs_per_day=100).fleet.usd_per_second


def test_hardware_without_a_price_is_refused() -> None:
    with pytest.raises(SpecError, match="no price is known of 'abacus'; there are: modal-"):
        simulate(executor="abacus")


def test_a_folder_that_cannot_be_made_is_a_typed_error(found: Simulation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        write_simulation(found, tmp_path / "file", charts=False)


def test_the_documentation_shows_what_the_command_writes() -> None:
    page = (DOCS / "experiments" / "simulation.md").read_text()
    found = simulate()
    assert LABEL in page
    lines = [line for line in markdown(found).splitlines() if line.startswith(("| ", "The knee", "One run"))]
    missing = [line for line in lines if line not in page]
    assert missing == [], "run reelproc simulate, and put its tables on the page"
    kept = DOCS.parent / "benchmarks" / "results" / "experiments" / "simulation" / "simulation.json"
    assert Simulation.model_validate_json(kept.read_text()) == found
