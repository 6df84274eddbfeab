"""The measure of quality: it is right about the same picture, falls with the encoder's, and compares like with like."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from reelproc.errors import DecodeError, SpecError
from reelproc.jobs import run_job
from reelproc_lab import dataset
from reelproc_lab.quality import has_vmaf, measure_quality


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same second without loss, well, and badly encoded; and others that cannot be compared with it."""
    folder = tmp_path_factory.mktemp("it's a folder, with; marks")
    source = dataset.match_clip(folder, 1, 320, 180)
    found = {"source": source}
    outputs = {
        "lossless": rp.Output(width=320, height=180, crf=0, audio=False),
        "good": rp.Output(width=320, height=180, crf=18, audio=False),
        "bad": rp.Output(width=320, height=180, crf=45, audio=False),
        "small": rp.Output(width=160, height=90, audio=False),
    }
    for name, output in outputs.items():
        found[name] = folder / f"{name}.mp4"
        run_job(rp.RenderJob(reel=rp.Reel(clips=[rp.Clip(source=source)], output=output), output=found[name]))
    found["short"] = folder / "short.mp4"
    reel = rp.Reel(clips=[rp.Clip(source=source, end=0.5)], output=outputs["good"])
    run_job(rp.RenderJob(reel=reel, output=found["short"]))
    return found


def test_the_bundled_ffmpeg_has_vmaf() -> None:
    assert has_vmaf()


def test_the_same_picture_has_the_best_scores(films: dict[str, Path]) -> None:
    found = measure_quality(films["lossless"], films["source"])
    assert (found.frames, found.ssim_mean, found.ssim_least) == (30, 1.0, 1.0)
    assert found.vmaf_mean is not None
    assert found.vmaf_mean > 95
    assert set(found.quantities) == {"ssim_mean", "ssim_least", "vmaf_mean", "vmaf_harmonic_mean", "vmaf_least"}


def test_a_worse_encode_has_worse_scores_and_the_means_are_in_order(films: dict[str, Path]) -> None:
    good, bad = (measure_quality(films[name], films["lossless"]) for name in ("good", "bad"))
    assert good.ssim_mean > bad.ssim_mean + 0.05
    assert good.vmaf_mean is not None
    assert bad.vmaf_mean is not None
    assert bad.vmaf_harmonic_mean is not None
    assert bad.vmaf_least is not None
    assert good.vmaf_mean > bad.vmaf_mean + 10
    assert bad.vmaf_least <= bad.vmaf_harmonic_mean <= bad.vmaf_mean
    assert bad.ssim_least <= bad.ssim_mean


def test_without_vmaf_there_is_ssim_alone(films: dict[str, Path]) -> None:
    assert set(measure_quality(films["good"], films["lossless"], vmaf=False).quantities) == {"ssim_mean", "ssim_least"}


def test_what_cannot_be_compared_is_refused(films: dict[str, Path]) -> None:
    with pytest.raises(SpecError, match="one size are compared, got 160x90 and 320x180"):
        measure_quality(films["small"], films["lossless"])
    with pytest.raises(DecodeError, match=r"has 15, .* 30, and 30 were compared"):
        measure_quality(films["short"], films["lossless"], vmaf=False)


def test_it_can_be_stopped(films: dict[str, Path]) -> None:
    class Stop(Exception):
        pass

    def stop() -> None:
        raise Stop

    with pytest.raises(Stop):
        measure_quality(films["good"], films["lossless"], check=stop)
