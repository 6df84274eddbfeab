"""What the match sounds like: a crowd, a whistle, kicks and a net, all made of noise and sines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reelproc_lab.match.script import GOAL_TIME

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from reelproc_lab.match.story import Story

    Array = NDArray[np.float64]

RATE = 48_000
"""Samples per second."""


def soundtrack(story: Story, *, seed: int, duration: float) -> Array:
    """(N, 2) samples within -1 to 1, stereo, ``duration`` seconds long."""
    import numpy as np

    rng = np.random.default_rng([seed, 3])
    length = round(duration * RATE)
    t = np.arange(length) / RATE
    mixed = _crowd(t, rng)
    for sound in story.sounds:
        heard = _EFFECTS[sound.kind](rng) * sound.gain
        begin = round(sound.time * RATE)
        end = min(length, begin + len(heard))
        if begin < length:
            mixed[begin:end] += heard[: end - begin, None]
    return np.asarray(np.tanh(mixed * 1.2))  # a soft limiter: the roar must not clip


def _noise(length: int, rng: np.random.Generator, bumps: tuple[tuple[float, float, float], ...]) -> Array:
    """Noise of unit power with ``(centre Hz, octaves, weight)`` bumps in its spectrum, as many voices have."""
    import numpy as np

    spectrum = np.fft.rfft(rng.standard_normal(length))
    octave = np.log2(np.maximum(np.fft.rfftfreq(length, 1 / RATE), 1.0))
    gain = sum(weight * np.exp(-0.5 * ((octave - np.log2(centre)) / width) ** 2) for centre, width, weight in bumps)
    shaped = np.fft.irfft(spectrum * gain, length)
    return np.asarray(shaped / shaped.std())


def _crowd(t: Array, rng: np.random.Generator) -> Array:
    """(N, 2) murmur that rises with the attack and breaks out at the goal."""
    import numpy as np

    murmur_level = np.interp(t, [0, 3, 6, 7.1, 7.5, GOAL_TIME, 10], [0.05, 0.055, 0.08, 0.14, 0.16, 0.08, 0.06])
    roar_level = np.interp(t, [6.4, 7.2, GOAL_TIME, GOAL_TIME + 0.25, 9.0, 10], [0, 0.03, 0.08, 0.33, 0.3, 0.24])
    beats = np.arange(0, t[-1] + 1, 0.35)
    swell = 1 + 0.16 * np.interp(t, beats, rng.standard_normal(len(beats)))
    sides = []
    for _ in range(2):
        murmur = _noise(len(t), rng, ((260, 0.8, 1.0), (620, 0.5, 0.8), (1900, 0.9, 0.2)))
        roar = _noise(len(t), rng, ((700, 0.45, 1.0), (1150, 0.35, 0.9), (2700, 0.6, 0.35)))
        claps = _claps(t, rng)
        sides.append((murmur * murmur_level + roar * roar_level) * swell + claps)
    return np.stack(sides, -1)


def _claps(t: Array, rng: np.random.Generator) -> Array:
    import numpy as np

    often = np.where(t > GOAL_TIME + 0.6, 220.0, 6.0) / RATE
    hits = (rng.random(len(t)) < often) * rng.uniform(0.02, 0.09, len(t))
    clap = rng.standard_normal(480) * np.exp(-np.arange(480) / 70)
    size = len(t) + len(clap)
    return np.asarray(np.fft.irfft(np.fft.rfft(hits, size) * np.fft.rfft(clap, size), size)[: len(t)])


def _whistle(rng: np.random.Generator) -> Array:
    """Sound a pea whistle: two close tones that the pea interrupts some 38 times a second."""
    import numpy as np

    t = np.arange(round(0.55 * RATE)) / RATE
    pea = 0.65 + 0.35 * np.sin(2 * np.pi * 38 * t)
    bend = 2 * np.pi * (t + 0.0006 * np.sin(2 * np.pi * 38 * t) / (2 * np.pi))
    tone = 0.6 * np.sin(2870 * bend) + 0.4 * np.sin(3120 * bend) + 0.05 * rng.standard_normal(len(t))
    envelope = np.interp(t, [0, 0.02, 0.42, 0.55], [0, 1, 0.9, 0])
    return np.asarray(0.16 * tone * pea * envelope)


def _kick(rng: np.random.Generator) -> Array:
    """Sound a thump whose pitch falls from 170 to 60 Hz, and the slap of leather."""
    import numpy as np

    t = np.arange(round(0.16 * RATE)) / RATE
    turn = 2 * np.pi * (60 * t + (170 - 60) * 0.03 * (1 - np.exp(-t / 0.03)))
    return np.asarray(0.5 * np.sin(turn) * np.exp(-t / 0.035) + 0.22 * rng.standard_normal(len(t)) * np.exp(-t / 0.004))


def _net(rng: np.random.Generator) -> Array:
    """Sound a short rush of cords."""
    import numpy as np

    t = np.arange(round(0.35 * RATE)) / RATE
    rush = _noise(len(t), rng, ((3800, 0.7, 1.0),))
    return np.asarray(0.09 * rush * np.interp(t, [0, 0.03, 0.35], [0, 1, 0]))


_EFFECTS = {"whistle": _whistle, "kick": _kick, "net": _net}
