"""The suite of all upscalers, for the networks and for every backend that runs them."""

from __future__ import annotations

from typing import ClassVar

import pytest

from reelproc.testing import UpscalerSuite
from reelproc.upscalers import find
from reelproc.upscalers.base import UpscaleOptions, Upscaler
from reelproc.upscalers.models import MODELS


class NetworkConformance(UpscalerSuite):
    """Networks see RGB, and make what they think is there: colours at the edge of what RGB can show shift a little."""

    chroma_share = 0.15
    flat_levels = 16
    truth_db = 28.0
    place_px = 0.5
    options: ClassVar[UpscaleOptions] = UpscaleOptions(backend="torch:cpu")

    @pytest.fixture
    def upscaler(self) -> Upscaler:
        return find(self.model, self.options)


class TestGeneral(NetworkConformance):
    model = "realesr-general-x4v3"


class TestGeneralDenoisingHalf(NetworkConformance):
    model = "realesr-general-x4v3"
    options = UpscaleOptions(backend="torch:cpu", denoise_strength=0.5)


@pytest.mark.usefixtures("any_processor")
class TestGeneralInBfloat16(NetworkConformance):
    model = "realesr-general-x4v3"
    options = UpscaleOptions(backend="torch:cpu", precision="bf16")


class TestAnimation(NetworkConformance):
    model = "realesr-animevideov3"


class TestReference(NetworkConformance):
    model = "realesr-general-x4v3"
    options = UpscaleOptions(backend="realesrgan:cpu")


class TestOnnx(NetworkConformance):
    """The graph that is made without torch."""

    model = "realesr-general-x4v3"
    options = UpscaleOptions(backend="onnx:cpu")


class TestOnnxDenoisingHalf(NetworkConformance):
    model = "realesr-general-x4v3"
    options = UpscaleOptions(backend="onnx:cpu", denoise_strength=0.5)


@pytest.mark.usefixtures("stand_ins")
class RepeatedPixels(NetworkConformance):
    """The deep networks' place, taken by one of their shape that repeats pixels: half a source pixel of blur."""

    truth_db = 22.0
    place_px = 0.05


class TestX4Plus(RepeatedPixels):
    model = "RealESRGAN_x4plus"


class TestX2Plus(RepeatedPixels):
    model = "RealESRGAN_x2plus"
    place_px = 0.15  # it sees means of two by two pixels, which the chroma's place depends on


class TestX4PlusByOnnx(RepeatedPixels):
    model = "RealESRGAN_x4plus"
    place_px = 0.1  # RGB is rounded to bytes on the way in and out, which weak colours notice
    options = UpscaleOptions(backend="onnx:cpu")


class TestX2PlusByOnnx(RepeatedPixels):
    model = "RealESRGAN_x2plus"
    place_px = 0.15
    options = UpscaleOptions(backend="onnx:cpu")


def test_every_network_is_in_the_suite() -> None:
    classes = [*NetworkConformance.__subclasses__(), *RepeatedPixels.__subclasses__()]
    assert {c.model for c in classes if c is not RepeatedPixels} == set(MODELS)
