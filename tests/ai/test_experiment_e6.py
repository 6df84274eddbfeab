"""e6 with a network, on a few small frames: the programs agree, and what a CPU has not got is recorded."""

from __future__ import annotations

from pathlib import Path

import reelproc_lab as x
from reelproc_lab.dataset import match_clip


def test_e6_tells_the_network_from_the_host_and_records_what_cannot_run_here(tmp_path: Path) -> None:
    footage = match_clip(tmp_path, 4, 320, 180)
    settings = x.Settings(footage=str(footage), model="realesr-animevideov3", repeats=1, warm_ups=1)
    outcome = x.run("e6", tmp_path / "results", settings)
    found = {s.arm: s for s in outcome.summaries if s.counts}
    for arm in ("original", "reelproc", "original with channels_last", "original with batch 4", "original with bf16"):
        assert found[arm].complete == 1, (arm, found[arm].errors)
        assert found[arm].quantities["network_ms_per_frame"].median > 0
        assert found[arm].quantities["host_ms_per_frame"].median > 0
    for arm in ("original with cudnn.benchmark", "original with TF32"):
        assert "is a setting of CUDA devices" in found[arm].errors[0]
    assert outcome.decisions[0].status == "decided"
