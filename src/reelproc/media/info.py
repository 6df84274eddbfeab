"""What a media file is: the streams that are used, as data."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

from pydantic import PlainSerializer, computed_field

from reelproc.errors import ProbeError
from reelproc.media.stream_colour import ColourInfo
from reelproc.pixels.orientation import Orientation
from reelproc.schema import WithFloats, readable_path


class VideoStream(WithFloats):
    """The video stream that is read.

    Attributes:
        index: its number in the file, counting streams of all kinds.
        codec: ffmpeg's name, e.g. ``"h264"``.
        pix_fmt: as decoded, e.g. ``"yuv420p10le"``.
        coded_width, coded_height: pixels as stored.
        width, height: pixels as shown, after the display matrix; what readers deliver.
        rotation: degrees clockwise by which readers turn the stored picture: 0, 90, 180 or 270.
        hflip: whether they mirror it left to right after that.
        sample_aspect_ratio: width of a pixel over its height, after rotation; 1 when unknown. Readers do not scale by
            it.
        time_base: seconds per unit of ``pts``.
        start_pts: the ``pts`` of time zero: the stream's start after its edit list, or of a picture shown before it.
        average_rate: frames per second, measured where packets contradict the file; None when unknown. Variable-rate
            files have no other.
        interlaced: whether frames hold two fields, taken one after the other, as one of the first 26 is marked; readers
            make whole pictures of those that are.
        colour: as the stream says.
        average_rate_fps, time_base_seconds, sample_aspect_ratio_float: the fractions above as floats, in JSON as well.
    """

    index: int
    codec: str
    pix_fmt: str
    coded_width: int
    coded_height: int
    width: int
    height: int
    rotation: int = 0
    hflip: bool = False
    sample_aspect_ratio: Fraction = Fraction(1)
    time_base: Fraction
    start_pts: int = 0
    average_rate: Fraction | None = None
    interlaced: bool = False
    colour: ColourInfo = ColourInfo()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def average_rate_fps(self) -> float | None:
        """Frames per second."""
        return None if self.average_rate is None else float(self.average_rate)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def time_base_seconds(self) -> float:
        """Seconds per unit of ``pts``."""
        return float(self.time_base)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def sample_aspect_ratio_float(self) -> float:
        """Width of a pixel over its height."""
        return float(self.sample_aspect_ratio)

    @property
    def orientation(self) -> Orientation:
        """``rotation`` and ``hflip`` as the object that applies them."""
        return Orientation(self.rotation, self.hflip)


class AudioStream(WithFloats):
    """The audio stream that is used: the first of the file.

    Attributes:
        index: its number in the file, counting streams of all kinds.
        codec: ffmpeg's name, e.g. ``"aac"``; ``"unknown"`` where there is no decoder for it.
        sample_rate: Hz; 0 when unknown.
        channels: how many; 0 when unknown.
        layout: e.g. ``"stereo"``, ``"5.1"``; ``"unknown"`` like the codec.
        start: seconds after the video's time zero; negative when the sound begins first.
        duration: seconds, None when unknown.
        start_seconds, duration_seconds: the same as floats, in JSON as well.
    """

    index: int
    codec: str
    sample_rate: int
    channels: int
    layout: str
    start: Fraction
    duration: Fraction | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def start_seconds(self) -> float:
        """Seconds after the video's time zero."""
        return float(self.start)

    @computed_field  # type: ignore[prop-decorator]
    @property
    def duration_seconds(self) -> float | None:
        """Seconds."""
        return None if self.duration is None else float(self.duration)


class MediaInfo(WithFloats):
    r"""What a media file is.

    Attributes:
        path: as given; in JSON, bytes of it that are not UTF-8 stand as ``\xff``.
        format_name: of the container, e.g. ``"mov,mp4,m4a,3gp,3g2,mj2"``.
        size_bytes: of the file.
        duration: seconds of the chosen video stream (of the sound, where there is no video).
        video: the stream that readers deliver: the first that is not an attached picture; None without one.
        audio: the first audio stream, or None.
        video_stream_count, audio_stream_count: how many there are; attached pictures are not counted.
        packet_count: packets of the video stream that hold data; None unless ``exact``.
        frame_count: frames that can be decoded and are shown; None unless ``exact``.
        warnings: what is odd about the file, for people.
        duration_seconds: ``duration`` as a float, in JSON as well.
    """

    path: Annotated[str, PlainSerializer(readable_path, return_type=str, when_used="json")]
    format_name: str
    size_bytes: int
    duration: Fraction
    video: VideoStream | None
    audio: AudioStream | None
    video_stream_count: int
    audio_stream_count: int
    packet_count: int | None = None
    frame_count: int | None = None
    warnings: tuple[str, ...] = ()

    @computed_field  # type: ignore[prop-decorator]
    @property
    def duration_seconds(self) -> float:
        """Seconds."""
        return float(self.duration)

    def require_video(self) -> VideoStream:
        """Return the video stream.

        Raises:
            ProbeError: there is none.
        """
        if self.video is None:
            raise ProbeError(f"{self.path!r} has no video stream; expected a video")
        return self.video
