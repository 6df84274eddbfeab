"""Real weights, where a test can use them: the shared ones are added to a weights folder of the session's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from ai.networks import deep_network

from reelproc.upscalers import weights
from reelproc.upscalers.models import MODELS

NAMES = ("realesr-general-x4v3", "realesr-general-wdn-x4v3", "realesr-animevideov3")


@pytest.fixture(scope="session", autouse=True)
def weights_folder(assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """``REELPROC_WEIGHTS``: the shared files, which are not the official ones to the bit, and no network."""
    folder = tmp_path_factory.mktemp("weights")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REELPROC_WEIGHTS", str(folder))
        patch.setenv("REELPROC_OFFLINE", "1")
        for name in NAMES:
            weights.add(assets / "weights" / f"{name}.pth")
        yield folder


@pytest.fixture(scope="session")
def exported(weights_folder: Path) -> Path:
    """The file that the backend ``onnx`` runs."""
    from reelproc.upscalers.onnx_export import export

    return export(MODELS["realesr-general-x4v3"]).path


@pytest.fixture
def stand_ins(weights_folder: Path, tmp_path: Path) -> Iterator[None]:
    """Networks that repeat pixels in the deep ones' places."""
    kept = []
    for name, scale in (("RealESRGAN_x4plus", 4), ("RealESRGAN_x2plus", 2)):
        made = deep_network(tmp_path / MODELS[name].file, scale, blocks=1, identity=True)
        kept.append(weights.add(made).path)
    yield
    for path in kept:
        path.unlink()


@pytest.fixture
def any_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processors without instructions for bf16 are taken for ones that have them: slower, and the same numbers."""
    monkeypatch.setattr("reelproc.upscalers.torch_network.has_bfloat16", lambda: True)
