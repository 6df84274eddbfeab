"""Both programs in containers of the loopback Modal: e4 whole, with CPU and GPU presets to compare."""

from __future__ import annotations

from pathlib import Path

import reelproc_lab as x
from modal_service import ModalService
from reelproc_lab.dataset import match_clip


def test_e4_compares_programs_and_containers(modal_service: ModalService, tmp_path: Path) -> None:
    assert modal_service.server is not None
    modal_service.server.kill_containers()
    footage = match_clip(tmp_path, 4.5, 320, 180)
    settings = x.Settings(
        executors=("modal-t4", "modal-cpu"),
        footage=str(footage),
        staging=modal_service.address("programs"),
        repeats=1,
        warm_ups=1,
    )
    outcome = x.run("e4", tmp_path / "results", settings)
    counted = [r for r in outcome.records if not r.warm_up]
    assert [r.status for r in counted] == ["complete"] * 4, [r.error for r in counted]
    found = {s.arm: s for s in outcome.summaries if s.counts}
    for program in ("original", "reelproc"):
        gpu, cpu = (found[f"{program} on {where}"] for where in ("modal-t4", "modal-cpu"))
        assert gpu.complete == cpu.complete == 1
        assert gpu.usd_billed is not None
        assert cpu.usd_billed is not None
        assert gpu.frames == cpu.frames == 90
    (decision,) = outcome.decisions
    assert decision.status == "decided"
