"""The rate of each kind of work at a place: measured there, or predicted from what is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from reelproc.cost.calibration import Calibration, Entry, Spread, reference, this_host
from reelproc.cost.places import ASSUMED, DEVICES, FLOP_PER_BYTE, Assumption, Place

__all__ = ["Basis", "Rate", "Rates"]

Basis = Literal["measured", "predicted"]

FEWEST_RUNS = 3
"""Whole runs on some hardware that make up for its rates not having been measured one by one."""

X264_PRESETS = {
    "ultrafast": 0.25, "superfast": 0.35, "veryfast": 0.55, "faster": 0.8, "fast": 1.0, "medium": 1.2, "slow": 1.9,
    "slower": 3.6, "veryslow": 6.5, "placebo": 16.0,
}  # fmt: skip
"""Time over that of ``fast``, from common knowledge of x264; within a factor of 1.5. ``reelproc calibrate --encoder``
replaces it by a measurement."""

ENCODERS = {"libx265": 3.5, "libsvtav1": 2.0}
"""Time at its default preset over that of libx264 ``fast``; likewise."""

CODECS = {"h264": 1.0, "hevc": 1.3, "vp9": 1.2, "av1": 1.5, "mpeg4": 0.7, "prores": 1.2}
"""Time of decoding over H.264's; likewise."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Seconds per unit of some kind of work.

    Attributes:
        value, low, high: seconds (of one logical processor, or of the device).
        basis: whether that was measured on this very hardware.
        why: where it comes from.
    """

    value: float
    low: float
    high: float
    basis: Basis
    why: str

    def times(self, factor: Assumption) -> Rate:
        """A prediction: this rate and an uncertain factor."""
        return Rate(
            self.value * factor.value, self.low * factor.low, self.high * factor.high, "predicted", factor.source
        )


@dataclass
class Rates:
    """All rates of one place.

    Attributes:
        place: where.
        calibration: what has been measured.
        unknown: kinds that nothing was known of, and that count as nothing: they make an estimate a lower bound.
    """

    place: Place
    calibration: Calibration
    unknown: list[str] = field(default_factory=list)

    def own(self) -> Entry | None:
        """What was measured at this very place."""
        machine = this_host() if self.place.executor == "local" else None
        return self.calibration.entry(self.place.executor, machine)

    @property
    def corrected(self) -> int:
        """How many whole runs at this place the pace was taken from; 0 where they are too few to go by."""
        own = self.own()
        count = sum(len(own.rates.get(kind, ())) for kind in ("pace", "pace.network")) if own is not None else 0
        return count if count >= FEWEST_RUNS else 0

    def __call__(self, kind: str) -> Rate:
        """The rate of ``kind``."""
        own = self.own()
        if own is not None and (spread := own.spread(kind)):
            return _rate(spread, "measured", f"{spread.count} samples on {self.place.executor}")
        if kind.startswith(("network.", "detect.", "stage.network")):
            return self._network(kind)
        if kind in ("startup", "load", "download", "upload") and self.place.rented:
            return _assumed(kind)
        if "nvenc" in kind:
            return _assumed("nvenc")
        similar = self._similar(own, kind)
        if similar is not None:
            return similar
        spread = reference().spread(kind)
        if spread is None:
            self.unknown.append(kind)
            return Rate(0.0, 0.0, 0.0, "predicted", "nothing is known of it")
        if kind.startswith("pace"):
            return _rate(spread, "predicted", "the reference machine's")
        machine = reference().machine
        told = f"measured on {machine.cpu}, {machine.threads:g} threads, and expected here"
        return _rate(spread, "predicted", told).times(_scaled(ASSUMED["cpu"], 1.0, told))

    def _similar(self, own: Entry | None, kind: str) -> Rate | None:
        """From the nearest kind that is known, at this place or on the reference machine."""
        group, _, rest = kind.partition(".")
        name, _, preset = rest.partition(".")
        if group == "decode" and name != "h264":
            factor = CODECS.get(name)
            if factor is None:
                self.unknown.append(kind)
            return self("decode.h264").times(_factor(factor or 1.0, f"decoding {name}, taken from H.264's"))
        if group in ("encode", "repeat") and (name, preset) != ("libx264", "fast"):
            factor = X264_PRESETS.get(preset, 1.0) if name == "libx264" else ENCODERS.get(name, 1.0)
            return self(f"{group}.libx264.fast").times(_factor(factor, f"{name} {preset}, taken from libx264 fast"))
        return None

    def _network(self, kind: str) -> Rate:
        """Seconds per TFLOP: from the device's peaks, or without one from the reference machine's processor."""
        if self.place.gpu is None:
            spread = reference().spread(kind) or reference().spread(f"{kind.partition('.')[0]}.default")
            if spread is None:
                self.unknown.append(kind)
                return Rate(0.0, 0.0, 0.0, "predicted", "nothing is known of it")
            fewer = reference().machine.threads / self.place.threads
            told = (
                f"{reference().machine.threads:g} threads of the reference machine, expected of {self.place.threads:g}"
            )
            return _rate(spread, "predicted", told).times(_scaled(ASSUMED["cpu"], fewer, told))
        if kind == "stage.network":
            return _assumed(kind)
        device = DEVICES[self.place.gpu]
        attainable = min(device.tflops, device.bandwidth * FLOP_PER_BYTE / 1000)
        half = 1.0 if not kind.endswith("fp32") else 8.0  # without matrix units, which fp32 does not use
        share = ASSUMED["efficiency"]
        told = (
            f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%}) of {attainable:.0f} TFLOPS, which "
            f"{device.tflops:g} of arithmetic and {device.bandwidth:g} GB/s allow ({device.source})"
        )
        peak = half / attainable
        return Rate(peak / share.value, peak / share.high, peak / share.low, "predicted", told)


def _rate(spread: Spread, basis: Basis, why: str) -> Rate:
    return Rate(spread.median, spread.low, spread.high, basis, why)


def _assumed(kind: str) -> Rate:
    known = ASSUMED[kind]
    return Rate(known.value, known.low, known.high, "predicted", known.source)


def _factor(value: float, why: str) -> Assumption:
    return Assumption(value, value / 1.5, value * 1.5, why)


def _scaled(known: Assumption, factor: float, why: str) -> Assumption:
    return Assumption(known.value * factor, known.low * factor, known.high * factor, why)
