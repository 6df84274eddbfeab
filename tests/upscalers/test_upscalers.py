"""The suite of all upscalers, run on each resampler; the networks' is in tests/ai."""

from __future__ import annotations

from reelproc.testing import UpscalerSuite
from reelproc.upscalers import UPSCALERS
from reelproc.upscalers.models import MODELS
from reelproc_lab.counting_network import STAND_IN


class TestLanczos(UpscalerSuite):
    model = "lanczos"
    truth_db = 50.0


class TestBicubic(UpscalerSuite):
    model = "bicubic"
    truth_db = 45.0


class TestArea(UpscalerSuite):
    model = "area"


def test_every_registered_resampler_is_in_the_suite() -> None:
    """Networks are in it too, in tests/ai; the experiments' stand-in for one is there when they were imported."""
    assert {c.model for c in UpscalerSuite.__subclasses__()} >= set(UPSCALERS.names()) - {*MODELS, STAND_IN}
