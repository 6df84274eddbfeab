"""The colours of a source, and the one way that every backend brings them to BT.709.

Frames in the pipeline are BT.709, limited range, 8 bit (planar), or full-range RGB made with the BT.709 matrix. A
source that is already so is not touched. Any other is converted once, on decode, with every matrix and range named:
swscale takes BT.601 for granted wherever it is not told.
"""

from __future__ import annotations

from dataclasses import dataclass

from reelproc.media.ffmpeg_arguments import option_value
from reelproc.pixels.frame import PixelFormat
from reelproc.schema import Schema

UNSPECIFIED = "unspecified"

# Names are those of ffmpeg's -colorspace, -color_primaries and -color_trc; numbers are those of ISO/IEC 23091-2
# (H.273).
MATRICES = {
    0: "gbr",
    1: "bt709",
    4: "fcc",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "ycgco",
    9: "bt2020nc",
    10: "bt2020c",
    14: "ictcp",
}
PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    11: "smpte431",
    12: "smpte432",
}
TRANSFERS = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}


class ColourInfo(Schema):
    """What a stream says about its colours, in ffmpeg's names; ``"unspecified"`` where it says nothing.

    Attributes:
        matrix: how YUV was made of RGB, e.g. ``"bt709"``, ``"smpte170m"``, ``"bt2020nc"``; ``"gbr"`` for RGB,
            and by mistake: whether pictures are RGB is told by their pixel format.
        primaries: e.g. ``"bt709"``, ``"bt2020"``.
        transfer: e.g. ``"bt709"``, ``"smpte2084"`` (PQ), ``"arib-std-b67"`` (HLG).
        full_range: 0 to 255 rather than 16 to 235.
        peak_nits: cd/m2 of the brightest light in a PQ source, by its metadata; None when it says nothing.
    """

    matrix: str = UNSPECIFIED
    primaries: str = UNSPECIFIED
    transfer: str = UNSPECIFIED
    full_range: bool = False
    peak_nits: float | None = None

    @property
    def is_hdr(self) -> bool:
        """Whether the transfer is PQ or HLG, so that a tone map is needed."""
        return self.transfer in ("smpte2084", "arib-std-b67")

    @property
    def is_wide(self) -> bool:
        """Whether the primaries are clearly wider than BT.709's; BT.601's differ little and are left alone."""
        return self.primaries in ("bt2020", "smpte431", "smpte432")


def assumed_matrix(colour: ColourInfo, width: int, height: int) -> str:
    """Return the matrix of a YUV source: what it says, else a guess.

    The guess is that of mpv and most players (``mp_csp_guess_colorspace``): BT.709 from 1280 columns or from more than
    576 rows on, BT.601 below; BT.2020 where the primaries or the transfer are its.

    >>> assumed_matrix(ColourInfo(), 1920, 1080), assumed_matrix(ColourInfo(), 640, 360)
    ('bt709', 'smpte170m')
    """
    if colour.matrix in _SWSCALE_MATRICES:
        return colour.matrix
    if colour.matrix == "bt2020c" or colour.primaries == "bt2020" or colour.is_hdr:
        return "bt2020nc"
    return "bt709" if width >= 1280 or height > 576 else "smpte170m"


def is_rgb(pix_fmt: str) -> bool:
    """Return whether a decoder's pixel format holds RGB rather than YUV or grey."""
    return pix_fmt.lstrip("0ax2").startswith(("rgb", "bgr", "gbr", "pal8", "mono"))


@dataclass(frozen=True, slots=True)
class Conversion:
    """How a decoder's frames become the pipeline's.

    Attributes:
        filters: ffmpeg filters, each ``name=arguments``; none where nothing has to be done.
        rgb_matrix: set where the filters leave the source's own limited-range yuv420p, which this process then turns to
            RGB by that matrix (:mod:`reelproc.pixels.rgb`).
    """

    filters: tuple[str, ...] = ()
    rgb_matrix: str | None = None


def conversion(colour: ColourInfo, source_pix_fmt: str, width: int, height: int, pix_fmt: PixelFormat) -> Conversion:
    """From the decoder's frames to limited-range BT.709 where ``pix_fmt`` is planar, else to full-range RGB.

    Args:
        colour: what the source says.
        source_pix_fmt: of the decoder, e.g. ``"yuv420p10le"``.
        width, height: pixels as stored.
        pix_fmt: what is wanted.
    """
    rgb = pix_fmt in ("bgr24", "rgb24")
    if is_rgb(source_pix_fmt):
        target = "out_range=full" if rgb else _TO_BT709
        return Conversion((f"scale=in_range=full:{target}:flags={_BEST}", f"format={pix_fmt}"))
    matrix = assumed_matrix(colour, width, height)
    source = f"in_color_matrix={_SWSCALE_MATRICES[matrix]}:in_range={'full' if colour.full_range else 'limited'}"
    if colour.is_hdr or colour.is_wide:
        return Conversion((*_through_table(colour, source), *_from_rgb(pix_fmt)))
    even = width % 2 == height % 2 == 0
    if rgb:
        if source_pix_fmt == "yuv420p" and not colour.full_range and even and matrix != "bt2020nc":
            return Conversion(rgb_matrix=matrix)
        return Conversion((f"scale={source}:out_range=full:flags={_GOOD}", f"format={pix_fmt}"))
    if source_pix_fmt == pix_fmt and matrix == "bt709" and not colour.full_range:
        return Conversion()
    if source_pix_fmt.replace("yuvj", "yuv") in _COLORSPACE_FORMATS and even:
        # vf_colorspace goes from YUV to YUV by one matrix: 25 times faster than swscale, which goes through RGB, and
        # with the same error, but for even sizes only. Primaries and transfer are declared alike on both sides, and so
        # kept.
        alike = "itrc=bt709:trc=bt709:iprimaries=bt709:primaries=bt709"
        ranges = f"irange={'pc' if colour.full_range else 'tv'}:range=tv"
        return Conversion((f"colorspace=ispace={matrix}:space=bt709:{alike}:{ranges}:format={pix_fmt}",))
    return Conversion((f"scale={source}:{_TO_BT709}:flags={_BEST}", f"format={pix_fmt}"))


_BEST = "bicubic+accurate_rnd+full_chroma_int+full_chroma_inp"
_GOOD = "bilinear+accurate_rnd"
_TO_BT709 = "out_color_matrix=bt709:out_range=limited"

# Matrices that are handled, with swscale's names for them.
_SWSCALE_MATRICES = {
    "bt709": "bt709",
    "fcc": "fcc",
    "bt470bg": "bt470bg",
    "smpte170m": "smpte170m",
    "smpte240m": "smpte240m",
    "bt2020nc": "bt2020",
}
_COLORSPACE_FORMATS = frozenset(
    f"yuv{sampling}p{depth}" for sampling in ("420", "422", "444") for depth in ("", "10le", "12le")
)


def _through_table(colour: ColourInfo, source: str) -> tuple[str, ...]:
    """From YUV to RGB, and through the table that maps tones and gamut to BT.709."""
    from reelproc.pixels.tone_map import table_file

    primaries = "smpte432" if colour.primaries in ("smpte431", "smpte432") else "bt2020"
    transfer = colour.transfer if colour.is_hdr else "sdr"
    table = table_file(transfer, primaries, _peak(colour.peak_nits))
    return (
        f"scale={source}:out_range=full:flags={_GOOD}",
        "format=gbrp10le",
        f"lut3d=file={option_value(str(table))}:interp=tetrahedral",
        "setparams=color_primaries=bt709:color_trc=bt709",
    )


def _from_rgb(pix_fmt: PixelFormat) -> tuple[str, ...]:
    if pix_fmt in ("bgr24", "rgb24"):
        return (f"format={pix_fmt}",)
    return (f"scale={_TO_BT709}:flags={_GOOD}", f"format={pix_fmt}")


def _peak(nits: float | None) -> float:
    """Return the peak of the tone curve, in a few steps, so that few tables are made; 1000 if none is known."""
    return next((step for step in (400.0, 600.0, 1000.0, 2000.0, 4000.0) if (nits or 1000.0) <= step), 10_000.0)
