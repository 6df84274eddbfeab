"""How long work takes at a place: the model of the loop, in which decoding, stages, network and encoding overlap.

With the processor seconds of each kind known, the loop of a render takes

    pace x max(all processor seconds / logical processors, the stages' thread, encoding / encoder threads, network,
                sound)

since its threads run side by side, and the processors are shared. On a place without a GPU a network's seconds are
those of all its processors, and count among the processor seconds. ``pace`` is what whole runs took over that: what the
threads wait for one another, at the start and at the end above all. It is measured, like the rates, for renders with a
network and for those without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from reelproc.cost.rates import Basis, Rate, Rates
from reelproc.cost.work import Part
from reelproc.media.write.encoders import ENCODER_THREADS

Level = Literal["value", "low", "high"]
"""The likely figure, or the lower or upper one."""

PHASE_OF_KIND = {
    "decode": "decode", "pipe": "decode", "stage": "stages", "network": "network", "detect": "network",
    "encode": "encode", "repeat": "encode",
}  # fmt: skip
"""The phase that each kind counts towards."""


PROCESSOR_KINDS = (
    "decode", "pipe", "stage", "encode", "repeat", "segment", "open", "probe", "audio", "assemble", "copy",
)  # fmt: skip
"""Kinds of work that take a processor's time."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The loop of a render.

    Attributes:
        ideal: seconds that it would take if no thread ever waited for another.
        starting: seconds that go by while encoders and sources are opened.
        wall: seconds: ``pace x ideal + starting``.
        phases: seconds of each, of a processor or of the device; they overlap.
        cpu: processor seconds in all.
    """

    ideal: float
    starting: float
    wall: float
    phases: dict[str, float]
    cpu: float


def at(rate: Rate, level: Level) -> float:
    """Return the figure of ``rate`` at ``level``."""
    return {"value": rate.value, "low": rate.low, "high": rate.high}[level]


def seconds(amounts: Mapping[str, float], rates: Rates, level: Level) -> dict[str, float]:
    """Return the seconds of each kind."""
    return {kind: amount * at(rates(kind), level) for kind, amount in amounts.items()}


def loop(
    part: Part, rates: Rates, level: Level = "value", *, beside: Mapping[str, float] = MappingProxyType({})
) -> Loop:
    """Return the loop of one worker that has the place for itself."""
    return loop_of_parts([part], rates, level, beside=beside)


def loop_of_parts(
    parts: Sequence[Part], rates: Rates, level: Level = "value", *, beside: Mapping[str, float] = MappingProxyType({})
) -> Loop:
    """Return the loops of workers that share one place: its processors and its device.

    Args:
        parts: what each worker does.
        rates: of the place.
        level: which figure of them.
        beside: amounts of the sound, where it is rendered at that place meanwhile, by one thread.
    """
    place = rates.place
    phases: dict[str, float] = {}
    sound = sum(seconds(beside, rates, level).values())
    fixed = device = 0.0
    cpu = slowest = sound
    for part in parts:
        own: dict[str, float] = {}
        hardware = 0.0  # an encoder of the device's
        starts = 0.0
        for kind, spent in seconds(part.amounts, rates, level).items():
            group = "network" if kind == "stage.network" else PHASE_OF_KIND.get(kind.partition(".")[0])
            if group is None:  # encoders started, sources opened: waited for, mostly
                starts += spent
                continue
            own[group] = own.get(group, 0.0) + spent
            if "nvenc" in kind:
                hardware += spent
        network = own.get("network", 0.0)
        encode = own.get("encode", 0.0) - hardware
        cpu += own.get("decode", 0.0) + own.get("stages", 0.0) + encode
        if place.gpu is None:
            cpu += network * place.threads
        else:
            device += network
        thread = max(own.get("stages", 0.0), encode / min(ENCODER_THREADS, place.threads), hardware, network)
        slowest = max(slowest, thread)
        fixed = max(fixed, starts)
        for group, spent in own.items():
            phases[group] = phases.get(group, 0.0) + spent
    ideal = max(cpu / place.threads, slowest, device)
    return Loop(ideal, fixed, at(rates(pace_of(parts)), level) * ideal + fixed, phases, cpu)


def pace_of(parts: Sequence[Part]) -> str:
    """Return the kind of pace that counts: a network that is waited for hides what the other threads wait for."""
    networks = any(kind.startswith("network.") for part in parts for kind in part.amounts)
    return "pace.network" if networks else "pace"


def basis_of(kinds: Mapping[str, float], rates: Rates) -> tuple[Basis, str]:
    """Return whether all that matters was measured on this hardware, and what was not.

    Args:
        kinds: seconds by kind; those under a twentieth of the sum do not matter.
        rates: of the place.
    """
    total = sum(kinds.values())
    weighty = {kind: rates(kind) for kind, spent in kinds.items() if spent > total / 20}
    predicted = {kind: rate for kind, rate in weighty.items() if rate.basis == "predicted"}
    if not predicted:
        why = "; ".join(dict.fromkeys(rate.why for rate in weighty.values())) or "nothing to do"
        return "measured", why
    # whole runs make up for rates of the processor alone: what a network or a start takes, they have shown or have not
    runs = rates.corrected("pace.network" if any(kind.startswith("network.") for kind in kinds) else "pace")
    devices = [kind for kind in predicted if kind == "stage.network" or "nvenc" in kind]
    if runs and not devices and all(kind.partition(".")[0] in PROCESSOR_KINDS for kind in predicted):
        return "measured", f"the reference machine's rates, corrected by {runs} whole runs here"
    return "predicted", "; ".join(dict.fromkeys(f"{kind}: {rate.why}" for kind, rate in predicted.items()))
