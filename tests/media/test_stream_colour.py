"""Colours: what is assumed, what is converted, against the formulas in floating point; and how HDR is brought down."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from media_factory import draw, numbered_video, run_ffmpeg
from reelproc.media.probe.probe import probe
from reelproc.media.read.reader import open_video
from reelproc.media.stream_colour import ColourInfo, Conversion, assumed_matrix, conversion
from reelproc.pixels import tone_map
from reelproc.pixels.frame import PixelFormat

Array = NDArray[np.float64]
KR_KB = {"bt709": (0.2126, 0.0722), "bt601": (0.299, 0.114)}
BACKENDS = ["ffmpeg", "pyav"]


def to_rgb(planes: list[Array], matrix: str, full_range: bool = False) -> Array:
    """Y, Cb, Cr of 8 bits to R, G, B in [0, 1]."""
    kr, kb = KR_KB[matrix]
    kg = 1 - kr - kb
    y = planes[0] / 255 if full_range else (planes[0] - 16) / 219
    b, r = ((p - 128) / (255 if full_range else 224) for p in planes[1:])
    red, blue = y + 2 * (1 - kr) * r, y + 2 * (1 - kb) * b
    return np.stack([red, (y - kr * red - kb * blue) / kg, blue], axis=-1)


def to_bt709(rgb: Array) -> list[Array]:
    """R, G, B in [0, 1] to limited-range Y, Cb, Cr of 8 bits."""
    kr, kb = KR_KB["bt709"]
    y = rgb @ np.array([kr, 1 - kr - kb, kb])
    return [
        16 + 219 * y,
        128 + 224 * (rgb[..., 2] - y) / (2 - 2 * kb),
        128 + 224 * (rgb[..., 0] - y) / (2 - 2 * kr),
    ]


class TestRule:
    @pytest.mark.parametrize(
        ("width", "height", "matrix"),
        [(1920, 1080, "bt709"), (1280, 720, "bt709"), (720, 576, "smpte170m"), (640, 360, "smpte170m")],
    )
    def test_an_unspecified_matrix_goes_by_the_size(self, width: int, height: int, matrix: str) -> None:
        assert assumed_matrix(ColourInfo(), width, height) == matrix

    def test_what_the_stream_says_goes_before_its_size(self) -> None:
        assert assumed_matrix(ColourInfo(matrix="bt470bg"), 1920, 1080) == "bt470bg"
        assert assumed_matrix(ColourInfo(transfer="smpte2084"), 1920, 1080) == "bt2020nc"

    def test_the_pipelines_own_format_is_not_touched(self) -> None:
        assert conversion(ColourInfo(matrix="bt709"), "yuv420p", 1920, 1080, "yuv420p") == Conversion()
        assert conversion(ColourInfo(), "yuv420p", 1920, 1080, "yuv420p") == Conversion()
        assert conversion(ColourInfo(), "yuv420p", 640, 360, "yuv420p") != Conversion()

    @pytest.mark.parametrize("pix_fmt", ["yuv420p", "bgr24"])
    def test_pictures_in_yuv_are_never_taken_for_rgb(self, pix_fmt: PixelFormat) -> None:
        said, unsaid = (
            conversion(ColourInfo(matrix=name), "yuv420p", 640, 360, pix_fmt) for name in ("gbr", "unspecified")
        )
        assert said == unsaid


@pytest.mark.parametrize("backend", BACKENDS)
def test_av1_in_flv_whose_metadata_says_rgb_keeps_its_levels(tmp_path: Path, backend: str) -> None:
    encode = ("-c:v", "libsvtav1", "-preset", "12", "-crf", "20", "-svtav1-params", "lp=1")
    path = tmp_path / "grey.flv"
    run_ffmpeg("-f", "lavfi", "-i", "color=0x303030:s=96x64:r=25:d=0.4,format=yuv420p", *encode, str(path))
    with open_video(path, backend, "yuv420p") as video:
        assert video.video.colour.matrix == "gbr"
        assert all(abs(float(frame.planes[0].mean()) - (16 + 0x30 * 219 / 255)) < 1.5 for frame in video)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("size", [(192, 108), (161, 121)])
@pytest.mark.parametrize(
    ("tag", "matrix", "full_range"),
    [(1, "bt709", False), (6, "bt601", False), (5, "bt601", False), (2, "bt601", False), (1, "bt709", True)],
)
class TestConversion:
    """Lossless 4:4:4 sources, so that nothing but the conversion differs."""

    def _read(
        self, tmp_path: Path, backend: str, size: tuple[int, int], tag: int, full_range: bool, pix_fmt: Any
    ) -> list[Array]:
        made = numbered_video(
            tmp_path / "source.mkv",
            frame_count=1,
            codec="ffv1",
            pix_fmt="yuv444p",
            width=size[0],
            height=size[1],
            colour=(tag, 2, 2),
            full_range=full_range,
        )
        with open_video(made.path, backend, pix_fmt) as video:
            return [p.astype(np.float64) for p in next(video).planes]

    def test_planes_are_bt709(
        self, tmp_path: Path, backend: str, size: tuple[int, int], tag: int, matrix: str, full_range: bool
    ) -> None:
        got = self._read(tmp_path, backend, size, tag, full_range, "yuv444p")
        rgb = to_rgb([p.astype(np.float64) for p in draw(0, *size)], matrix)
        possible = ((rgb > 0.02) & (rgb < 0.98)).all(axis=-1)  # what is drawn holds YUV that is no colour
        for a, b in zip(got, to_bt709(rgb), strict=True):
            assert np.abs(a - b)[possible].mean() < 0.8
            assert np.abs(a - b)[possible].max() < 3

    def test_images_are_full_range_rgb(
        self, tmp_path: Path, backend: str, size: tuple[int, int], tag: int, matrix: str, full_range: bool
    ) -> None:
        (got,) = self._read(tmp_path, backend, size, tag, full_range, "bgr24")
        rgb = to_rgb([p.astype(np.float64) for p in draw(0, *size)], matrix)
        wanted = 255 * np.clip(rgb[..., ::-1], 0, 1)
        assert np.abs(got - wanted).mean() < 1.2
        assert np.abs(np.median(got - wanted)) < 1


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("tag", "matrix"), [(1, "bt709"), (6, "bt601")])
@pytest.mark.parametrize("height", [108, 110])
def test_the_fast_way_to_rgb_cuts_greys_to_whole_levels(
    tmp_path: Path, backend: str, tag: int, matrix: str, height: int
) -> None:
    """yuv420p to RGB in this process: no more than a level too dark where the chroma does not change."""
    path = tmp_path / "source.mkv"
    numbered_video(path, frame_count=1, codec="ffv1", colour=(tag, 2, 2), height=height)
    with open_video(path, backend) as video:
        assert video.conversion.rgb_matrix is not None
        got = next(video).image.astype(np.float64)
    band = slice(round(0.3 * height) + 3, round(0.7 * height) - 3)  # where the number stands, all is grey
    wanted = 255 * to_rgb([p.astype(np.float64) for p in draw(0, 192, height)], matrix)[..., ::-1]
    assert (got - wanted)[band].min() > -1.01
    assert (got - wanted)[band].max() < 0.01


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "it's [a]:b,c;\\d"
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    tone_map._folder.cache_clear()
    yield folder
    tone_map._folder.cache_clear()


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("number", "transfer"), [(16, "smpte2084"), (18, "arib-std-b67"), (14, "sdr")])
@pytest.mark.parametrize("pix_fmt", ["yuv420p", "bgr24"])
def test_both_backends_show_what_the_formulas_say(
    tmp_path: Path, cache: Path, backend: str, number: int, transfer: str, pix_fmt: Any
) -> None:
    """Patches of BT.2020 colours, 10 bits; also with a cache folder whose name is hard on filter graphs."""
    rng = np.random.default_rng(1)
    signal = np.clip(rng.uniform(0.15, 0.7, (9, 16, 1)) + rng.normal(0, 0.05, (9, 16, 3)), 0, 1)
    path = tmp_path / "hdr.mkv"
    write_patches(path, signal, number)
    info = probe(path)
    assert info.require_video().colour.is_wide
    with open_video(path, backend, pix_fmt) as video:
        planes = [p.astype(np.float64) for p in next(video).planes]
    wanted = tone_map.convert(signal, transfer, "bt2020", 1000.0)
    if pix_fmt == "bgr24":
        middles = planes[0].reshape(9, 12, 16, 12, 3)[:, 4:8, :, 4:8].mean(axis=(1, 3))
        assert np.abs(middles - 255 * wanted[..., ::-1]).mean() < 1.5
        return
    for plane, target in zip(planes, to_bt709(wanted), strict=True):
        step = plane.shape[0] // 9
        middles = plane.reshape(9, step, 16, step)[:, 2 : step - 2, :, 2 : step - 2].mean(axis=(1, 3))
        assert np.abs(middles - target).mean() < 1.0


def write_patches(path: Path, signal: Array, transfer: int) -> None:
    """A lossless 10-bit BT.2020 video of one frame: 12 x 12 pixels of each R'G'B' of ``signal``."""
    kr, kb = 0.2627, 0.0593
    y = signal @ np.array([kr, 1 - kr - kb, kb])
    channels = [64 + 876 * y, *(512 + 896 * (signal[..., c] - y) / (2 - 2 * k) for c, k in ((2, kb), (0, kr)))]
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("ffv1", rate=Fraction(30))
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p10le"
        context = stream.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = 9, 9, transfer, 1
        frame = av.VideoFrame(192, 108, "yuv420p10le")
        for plane, channel, scale in zip(frame.planes, channels, (12, 6, 6), strict=True):
            values = np.round(np.kron(channel, np.ones((scale, scale)))).astype(np.uint16)
            stored = np.zeros((values.shape[0], plane.line_size // 2), np.uint16)
            stored[:, : values.shape[1]] = values
            plane.update(stored.tobytes())
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
