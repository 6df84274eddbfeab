"""Makes sound for tests, and hears where in it something begins.

::

    from sound_factory import bursts, onsets, write_wav

    sound, times = bursts(10.0)
    write_wav(tmp_path / "bursts.wav", sound)
    ...
    late = onsets(heard, expected_times)  # seconds

Nothing here uses reelproc: what it makes does not depend on what is being tested.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from media_factory import run_ffmpeg

RATE = 48_000
PITCHES = (1000, 440, 2500, 300, 700, 3500, 1500)


def bursts(
    seconds: float, *, length: float = 0.1, gap: float = 0.6, first: float = 0.45, rate: int = RATE
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Tone bursts of several pitches over very soft noise: (samples, 1) float32, and when each begins, seconds."""
    count = round(seconds * rate)
    sound = 0.003 * np.random.default_rng(0).standard_normal(count)
    times = []
    at = first
    while at + length + gap / 2 < seconds:
        samples = np.arange(round(length * rate)) / rate
        edges = np.clip(np.minimum(samples, length - samples) / 0.002, 0, 1)
        begin = round(at * rate)
        sound[begin : begin + len(samples)] += (
            0.5 * np.sin(2 * np.pi * PITCHES[len(times) % len(PITCHES)] * samples) * edges
        )
        times.append(begin / rate)
        at += gap * (1 + 0.137 * (len(times) % 3))
    return sound.astype(np.float32)[:, None], np.array(times)


def tone(seconds: float, hertz: float, *, rate: int = RATE, level: float = 0.5) -> NDArray[np.float32]:
    """A sine, (samples, 1) float32."""
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)[:, None]


def onsets(heard: NDArray[np.float32], expected: Sequence[float], *, reach: float = 0.12) -> NDArray[np.float64]:
    """How many seconds after each expected time a burst begins: where it first has half of its greatest level."""
    level = np.sqrt(np.convolve(heard[:, 0].astype(np.float64) ** 2, np.ones(144) / 144, "same"))
    late = []
    for time in expected:
        begin = max(0, round((time - reach) * RATE))
        part = level[begin : round((time + reach) * RATE)]
        peak = np.percentile(level[round(time * RATE) : round((time + reach / 2) * RATE)], 80)
        late.append((begin + int(np.argmax(part > 0.5 * peak))) / RATE - time)
    return np.array(late)


def pitch(heard: NDArray[np.float32]) -> float:
    """The frequency of the strongest tone, Hz."""
    spectrum = np.abs(np.fft.rfft(heard[:, 0] * np.hanning(len(heard))))
    return float(np.argmax(spectrum) * RATE / len(heard))


def level(heard: NDArray[np.float32]) -> float:
    """The greatest level of the left channel."""
    return float(np.abs(heard[:, 0]).max())


def write_wav(path: Path, sound: NDArray[np.float32], *, rate: int = RATE) -> Path:
    """A 16-bit WAV file of (samples, channels)."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(sound.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return path


def with_picture(path: Path, wav: Path, *, seconds: float, late: float = 0.0, codec: Sequence[str] = ("aac",)) -> Path:
    """A video of ``seconds`` with the sound of ``wav``, which begins ``late`` seconds after the picture.

    Negative: before it, by whole frames of 1/25 s. A key frame comes every 2 seconds. ``codec`` is the sound's, with
    further options of ffmpeg.
    """
    picture = f"testsrc=size=64x36:rate=25:duration={seconds}"
    early = max(0.0, -late)
    run_ffmpeg(
        *("-itsoffset", str(early), "-f", "lavfi", "-i", picture, "-itsoffset", str(late + early), "-i", str(wav)),
        *("-map", "0:v", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-c:a", *codec),
        *("-copyts", str(path)),
    )
    return path
