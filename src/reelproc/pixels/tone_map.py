"""From high dynamic range and wide gamut to BT.709: one table, computed from the published formulas.

The table maps gamma-coded RGB of the source to gamma-coded RGB of BT.709, both full range. ffmpeg's ``lut3d`` applies
it, in the child process as well as in PyAV's filter graph, so that all backends show the same picture.

Per table entry: the source's EOTF gives light in cd/m2 (ITU-R BT.2100-2: PQ, HLG with its OOTF for a 1000 cd/m2
display; ITU-R BT.1886 for SDR); the tone curve of ITU-R BT.2390-10, section 5.4.1, brings it down to SDR, whose peak
stands for the 203 cd/m2 of HDR reference white (ITU-R BT.2408-7), on the largest of the three components so that hues
stay; primaries are changed to BT.709; what falls outside that gamut is desaturated at constant luminance; the inverse
of BT.1886 codes it.
"""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reelproc.files import whole_file
from reelproc.folders import cache_folder

Array = NDArray[np.float64]

GRID = 49
"""Points a side. Between them the table is 0.1 to 0.4 of an 8-bit level off the formula in the mean, 2 to 7 levels in
one colour of a hundred: the dark and saturated ones, which lie where the narrower gamut ends."""

HDR_REFERENCE_WHITE = 203.0
"""cd/m2 of diffuse white in HDR, ITU-R BT.2408: shown as SDR's peak."""

HLG_PEAK = 1000.0
"""cd/m2 of the display that HLG's OOTF is taken for, ITU-R BT.2100."""

_VERSION = 1  # of the formulas below: part of the file's name

# CIE 1931 xy of red, green, blue. White is D65 in all of them.
_PRIMARIES = {
    "bt709": ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    "bt2020": ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    "smpte432": ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_D65 = (0.3127, 0.3290)


def _to_xyz(primaries: str) -> Array:
    """Return the matrix from linear RGB to XYZ, white having Y = 1 (SMPTE RP 177)."""
    columns = np.array([[x / y, 1.0, (1 - x - y) / y] for x, y in _PRIMARIES[primaries]]).T
    x, y = _D65
    white = np.array([x / y, 1.0, (1 - x - y) / y])
    scaled: Array = columns * np.linalg.solve(columns, white)
    return scaled


def pq_to_nits(signal: Array) -> Array:
    """SMPTE ST 2084 EOTF: [0, 1] to cd/m2."""
    power = np.clip(signal, 0, 1) ** (1 / 78.84375)
    light: Array = 10_000 * (np.maximum(power - 0.8359375, 0) / (18.8515625 - 18.6875 * power)) ** (1 / 0.1593017578125)
    return light


def nits_to_pq(light: Array) -> Array:
    """Return the inverse of :func:`pq_to_nits`."""
    power = (np.maximum(light, 0) / 10_000) ** 0.1593017578125
    signal: Array = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return signal


def hlg_to_nits(signal: Array) -> Array:
    """BT.2100 HLG: [0, 1] (..., 3) RGB signal to cd/m2 on a 1000 cd/m2 display (inverse OETF, then OOTF)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    luminance = scene @ _to_xyz("bt2020")[1]
    light: Array = HLG_PEAK * scene * np.maximum(luminance, 1e-9)[..., None] ** 0.2
    return light


def tone_curve(light: Array, source_peak: float) -> Array:
    """BT.2390 EETF: cd/m2 up to ``source_peak`` to cd/m2 up to HDR reference white, smooth, dark parts unchanged."""
    top = float(nits_to_pq(np.array(source_peak)))
    limit = float(nits_to_pq(np.array(HDR_REFERENCE_WHITE))) / top
    knee = 1.5 * limit - 0.5
    e = np.clip(nits_to_pq(light) / top, 0, 1)
    t = np.clip((e - knee) / (1 - knee), 0, 1)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * limit
    return pq_to_nits(np.where(e < knee, e, spline) * top)


def convert(signal: Array, transfer: str, primaries: str, peak: float) -> Array:
    """Gamma-coded (..., 3) RGB in [0, 1] of the source to gamma-coded BT.709 RGB in [0, 1].

    Args:
        signal: of the source.
        transfer: ``"smpte2084"``, ``"arib-std-b67"``, or anything else for SDR (BT.1886).
        primaries: ``"bt2020"``, ``"smpte432"`` (Display P3) or ``"bt709"``.
        peak: cd/m2 of the brightest light in a PQ source.
    """
    if transfer in ("smpte2084", "arib-std-b67"):
        light = pq_to_nits(signal) if transfer == "smpte2084" else hlg_to_nits(signal)
        brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
        mapped = tone_curve(brightest, peak if transfer == "smpte2084" else HLG_PEAK)
        linear = light * (mapped / brightest) / HDR_REFERENCE_WHITE
    else:
        linear = np.clip(signal, 0, 1) ** 2.4
    narrow = linear @ (np.linalg.inv(_to_xyz("bt709")) @ _to_xyz(primaries)).T
    luminance = np.clip(narrow @ _to_xyz("bt709")[1], 0, 1)[..., None]
    chroma = narrow - luminance
    # The largest share of the chroma that keeps all three components in [0, 1].
    room = np.where(chroma > 0, (1 - luminance) / np.maximum(chroma, 1e-12), luminance / np.maximum(-chroma, 1e-12))
    inside = np.clip(luminance + chroma * np.minimum(1, room.min(axis=-1, keepdims=True)), 0, 1)
    coded: Array = inside ** (1 / 2.4)
    return coded


def table(transfer: str, primaries: str, peak: float, grid: int = GRID) -> Array:
    """Return the lookup table, (grid, grid, grid, 3) indexed [blue, green, red]: the order of a .cube file's lines."""
    axis = np.linspace(0, 1, grid)
    blue, green, red = np.meshgrid(axis, axis, axis, indexing="ij")
    return convert(np.stack([red, green, blue], axis=-1), transfer, primaries, peak)


@functools.cache
def _folder() -> Path:
    """Return where tables are kept between runs; one of this process's own where the user's cache cannot be written."""
    folder = cache_folder() / "tone"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return Path(tempfile.mkdtemp(prefix="reelproc-"))


def table_file(transfer: str, primaries: str, peak: float) -> Path:
    """Return the .cube file with :func:`table`, made now if it is not there. It appears whole, by rename."""
    path = _folder() / f"tone-{transfer}-{primaries}-{peak:g}-{GRID}-v{_VERSION}.cube"
    if path.is_file():
        return path
    rows = table(transfer, primaries, peak).reshape(-1, 3)
    with whole_file(path) as partial, partial.open("w", encoding="ascii") as out:
        out.write(f"LUT_3D_SIZE {GRID}\n")
        np.savetxt(out, rows, fmt="%.6f")
    return path
