"""The rate of each kind of work at a place: measured there, or predicted from what is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from reelproc.cost.hardware_specs import ASSUMPTIONS, DEVICES, FLOP_PER_BYTE, Assumption, Place
from reelproc.cost.measured_rates import Entry, Machine, MeasuredRates, SampleSpread, reference, this_host

Basis = Literal["measured", "predicted"]

MIN_RUNS = 3
"""Whole runs on some hardware that make up for its rates not having been measured one by one."""

COMPARED_WITH = {"decode": "decode.h264", "encode": "encode.libx264.fast", "repeat": "repeat.libx264.fast"}
"""What other codecs and presets are compared with: their ratio is taken to be that on the reference machine."""


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
        """Return a prediction: this rate and an uncertain factor."""
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
    calibration: MeasuredRates
    unknown: list[str] = field(default_factory=list)

    @cached_property
    def own(self) -> Entry | None:
        """What was measured at this very place."""
        return self.calibration.entry(self.place.executor, self._machine)

    @cached_property
    def while_busy(self) -> Entry | None:
        """What was measured here while others used the machine: better than another machine's, and a prediction."""
        return self.calibration.entry(self.place.executor, self._machine, busy=True)

    @property
    def _machine(self) -> Machine | None:
        return this_host() if self.place.executor == "local" else None

    def corrected(self, pace: str = "pace") -> int:
        """Return how many whole runs at this place the pace of that kind is taken from; 0 if they are too few."""
        own = self.own
        count = len(own.rates.get(pace, ())) if own is not None else 0
        return count if count >= MIN_RUNS else 0

    def __call__(self, kind: str) -> Rate:
        """Return the rate of ``kind``."""
        own = self.own
        if own is not None and (spread := own.spread(kind)):
            return _rate(spread, "measured", f"{spread.count} samples on {self.place.executor}")
        if self.while_busy is not None and (spread := self.while_busy.spread(kind)):
            told = f"{spread.count} samples on {self.place.executor}, taken while the machine was busy"
            return _rate(spread, "predicted", told)
        if kind.startswith("detect."):
            return self("network.default").times(_factor(1.0, "a detector's convolutions, taken for an upscaler's"))
        if kind.startswith(("network.", "stage.network")):
            return self._network(kind)
        if kind in ("download", "upload") or (kind in ("startup", "load") and self.place.rented):
            return _assumed(kind)
        if "nvenc" in kind:
            return _assumed("nvenc")
        if kind == "audio.silent":
            return self("audio").times(ASSUMPTIONS["silence"])
        similar = self._similar(kind)
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
        return _rate(spread, "predicted", told).times(_scaled(ASSUMPTIONS["cpu"], 1.0, told))

    def _similar(self, kind: str) -> Rate | None:
        """From the kind that is compared with, at this place; None where it is that itself, or like none."""
        base = COMPARED_WITH.get(kind.partition(".")[0])
        if base is None or kind == base:
            return None
        measured, compared = reference().spread(kind), reference().spread(base)
        if measured is None or compared is None or not compared.median:
            self.unknown.append(kind)
            return self(base).times(_factor(1.0, f"nothing is known of {kind}: it is taken for {base}"))
        ratio = measured.median / compared.median
        return self(base).times(_factor(ratio, f"{ratio:.2f} times {base}, as on the reference machine"))

    def _network(self, kind: str) -> Rate:
        """Return seconds per TFLOP: from the device's peaks, or without one from the reference machine's processor."""
        if self.place.gpu is None:
            spread = reference().spread(kind) or reference().spread("network.default")
            if spread is None:
                self.unknown.append(kind)
                return Rate(0.0, 0.0, 0.0, "predicted", "nothing is known of it")
            fewer = reference().machine.threads / self.place.threads
            told = (
                f"{reference().machine.threads:g} threads of the reference machine, expected of {self.place.threads:g}"
            )
            return _rate(spread, "predicted", told).times(_scaled(ASSUMPTIONS["cpu"], fewer, told))
        if kind == "stage.network":
            return _assumed(kind)
        device = DEVICES[self.place.gpu]
        attainable = min(device.tflops, device.bandwidth * FLOP_PER_BYTE / 1000)
        half = 1.0 if not kind.endswith("fp32") else 8.0  # without matrix units, which fp32 does not use
        share = ASSUMPTIONS["efficiency"]
        told = (
            f"{share.value:.0%} ({share.low:.0%} to {share.high:.0%}) of {attainable:.0f} TFLOPS, which "
            f"{device.tflops:g} of arithmetic and {device.bandwidth:g} GB/s allow ({device.source})"
        )
        peak = half / attainable
        return Rate(peak / share.value, peak / share.high, peak / share.low, "predicted", told)


def _rate(spread: SampleSpread, basis: Basis, why: str) -> Rate:
    return Rate(spread.median, spread.low, spread.high, basis, why)


def _assumed(kind: str) -> Rate:
    known = ASSUMPTIONS[kind]
    return Rate(known.value, known.low, known.high, "predicted", known.source)


def _factor(value: float, why: str) -> Assumption:
    return Assumption(value, value / 1.25, value * 1.25, why)


def _scaled(known: Assumption, factor: float, why: str) -> Assumption:
    return Assumption(known.value * factor, known.low * factor, known.high * factor, why)
