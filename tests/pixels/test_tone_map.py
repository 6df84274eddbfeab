"""The tone map against the published formulas, and the file that it is kept in."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reelproc.pixels import tone_map


def test_pq_is_its_own_inverse_and_knows_its_landmarks() -> None:
    light = np.array([0.0, 0.1, 1, 100, 203, 1000, 10_000])
    np.testing.assert_allclose(tone_map.pq_to_nits(tone_map.nits_to_pq(light)), light, rtol=1e-6, atol=1e-4)
    # ITU-R BT.2408, table 1: HDR reference white is 58 % of PQ, 75 % of HLG
    assert tone_map.nits_to_pq(np.array(203.0)) == pytest.approx(0.58, abs=0.005)
    assert tone_map.hlg_to_nits(np.full(3, 0.75))[0] == pytest.approx(203, abs=2)
    assert tone_map.hlg_to_nits(np.full(3, 1.0))[0] == pytest.approx(1000, abs=1)


@pytest.mark.parametrize("peak", [400.0, 1000.0, 4000.0, 10_000.0])
def test_the_curve_rises_keeps_the_dark_and_ends_at_white(peak: float) -> None:
    light = np.linspace(0, peak, 2000)
    mapped = tone_map.tone_curve(light, peak)
    assert (np.diff(mapped) > 0).all()
    assert mapped[-1] == pytest.approx(tone_map.HDR_REFERENCE_WHITE, rel=1e-6)
    assert (mapped <= light + 1e-6).all()
    np.testing.assert_allclose(mapped[light < 10], light[light < 10], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67", "sdr"])
def test_greys_stay_grey_and_black_stays_black(transfer: str) -> None:
    ramp = np.linspace(0, 0.75, 50)[:, None].repeat(3, axis=1)
    out = tone_map.convert(ramp, transfer, "bt2020", 1000.0)
    assert np.ptp(out, axis=-1).max() < 1e-6
    assert (np.diff(out[:, 0]) >= 0).all()
    assert out[0].tolist() == [0, 0, 0]


def test_diffuse_white_comes_out_bright_but_below_the_highlights() -> None:
    white, highlight = tone_map.convert(np.array([[0.58] * 3, [0.75] * 3]), "smpte2084", "bt2020", 1000.0)[:, 0]
    assert 0.85 < white < 0.95 < highlight <= 1


def test_colours_outside_the_gamut_lose_saturation_and_keep_their_light() -> None:
    weights = tone_map._to_xyz("bt709")[1]
    signal = np.array(list(itertools.product([0.2, 0.5, 0.9], repeat=3)))
    out = tone_map.convert(signal, "sdr", "bt2020", 1000.0)
    wanted = (signal**2.4) @ tone_map._to_xyz("bt2020")[1]
    np.testing.assert_allclose((out**2.4) @ weights, wanted, atol=1e-6)


def test_bt709_through_the_table_stays_what_it_is() -> None:
    signal = np.random.default_rng(0).uniform(0, 1, (100, 3))
    np.testing.assert_allclose(tone_map.convert(signal, "sdr", "bt709", 1000.0), signal, atol=1e-6)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "it's [a]:b,c;\\d"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    tone_map._folder.cache_clear()
    yield folder
    tone_map._folder.cache_clear()


def test_the_table_appears_whole_and_is_made_once(cache: Path) -> None:
    path = tone_map.table_file("smpte2084", "bt2020", 1000.0)
    assert [p for p in cache.rglob("*") if p.is_file()] == [path]
    lines = path.read_text().splitlines()
    assert lines[0] == f"LUT_3D_SIZE {tone_map.GRID}"
    assert len(lines) == 1 + tone_map.GRID**3
    stamp = path.stat().st_mtime_ns
    assert tone_map.table_file("smpte2084", "bt2020", 1000.0).stat().st_mtime_ns == stamp


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(tone_map.tempfile, "mkdtemp", lambda prefix: str(tmp_path))
    tone_map._folder.cache_clear()
    try:
        assert tone_map.table_file("smpte2084", "bt2020", 1000.0).parent == tmp_path
    finally:
        tone_map._folder.cache_clear()
