"""Uncompressed sound without holes: MP4 and MOV count its samples, and play what lies after a hole too early."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.packet import Packet

_JITTER_SECONDS = Fraction(2, 1000)
"""Matroska and FLV round times to milliseconds: so little is no hole."""

_PIECE_SAMPLES = 1 << 16
"""Of silence, at a time."""

_CODEC_NAME = re.compile(r"pcm_(?:(?P<law>alaw|mulaw)|(?P<kind>[suf])(?P<bits>\d+)(?P<order>le|be)?)")
_SILENT_LAWS = {"alaw": b"\xd5", "mulaw": b"\xff"}
"""ITU-T G.711: the code of the smallest level."""


class PcmFiller:
    """Fits packets one to the next: silence into holes, and nothing twice where two overlap.

    Args:
        rate: samples per second.
        silence: one sample of all channels.
    """

    def __init__(self, rate: int, silence: bytes) -> None:
        self._rate = rate
        self._silence = silence
        self._begin: Fraction | None = None  # of the first sample, seconds
        self._count = 0  # of samples so far

    @classmethod
    def of(cls, stream: AudioStream) -> PcmFiller | None:
        """Return the filler for a stream; None if it is compressed, or has heads among its samples."""
        context: Any = stream.codec_context
        match = None if context is None else _CODEC_NAME.fullmatch(context.codec.canonical_name)
        if match is None or not context.sample_rate or not context.channels:
            return None
        if match["law"]:
            sample = _SILENT_LAWS[match["law"]]
        else:
            sample = bytes(int(match["bits"]) // 8)
            if match["kind"] == "u":  # the middle of what is unsigned
                sample = sample[1:] + b"\x80" if match["order"] == "le" else b"\x80" + sample[1:]
        return cls(context.sample_rate, sample * context.channels)

    def fitted(self, packet: Packet[Any], begin: Fraction) -> Iterator[tuple[Packet[Any], Fraction]]:
        """Yield what is to be written for a packet that begins at ``begin`` seconds, and when it begins."""
        import av

        if self._begin is None:
            self._begin = begin
        gap = begin - (self._begin + Fraction(self._count, self._rate))
        missing = round(gap * self._rate) if abs(gap) > _JITTER_SECONDS else 0
        while missing > 0:
            piece = min(missing, _PIECE_SAMPLES)
            yield self._placed(av.Packet(self._silence * piece))
            missing -= piece
        if missing < 0:
            packet_rest = bytes(packet)[-missing * len(self._silence) :]
            if packet_rest:
                yield self._placed(av.Packet(packet_rest))
            return
        yield self._placed(packet)

    def _placed(self, packet: Packet[Any]) -> tuple[Packet[Any], Fraction]:
        assert self._begin is not None
        begin = self._begin + Fraction(self._count, self._rate)
        samples = packet.size // len(self._silence)
        packet.time_base = Fraction(1, self._rate)
        packet.duration = samples
        self._count += samples
        return packet, begin
