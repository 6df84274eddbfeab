"""Which filter stretches, and how much a stretcher is fed and skipped so that exactly the span comes out."""

from __future__ import annotations

from fractions import Fraction
from math import prod

import pytest

from reelproc.errors import BackendError
from reelproc.media.sound import tempo as audio_tempo
from reelproc.media.sound.tempo import RUN_UP_SAMPLES, Stretch, check_tempo, tempo_filter


@pytest.mark.parametrize("speed", ["0.1", "0.5", "0.99"])
def test_slower_sound_is_stretched_by_rubberband(speed: str) -> None:
    assert tempo_filter(Fraction(speed)).startswith(f"rubberband=tempo={float(speed)!r}:window=short")


@pytest.mark.parametrize("speed", ["1.01", "1.5", "2", "3", "4", "7.3", "10"])
def test_faster_sound_goes_through_a_chain_that_multiplies_up_to_the_speed(speed: str) -> None:
    links = [float(link.removeprefix("atempo=")) for link in tempo_filter(Fraction(speed)).split(",")]

    assert all(1 < link <= 2 for link in links)
    assert prod(links) == pytest.approx(float(speed), rel=1e-12)
    assert 2 ** (len(links) - 1) < float(speed)  # no longer than needed


@pytest.mark.parametrize("speed", ["0.1", "0.25", "0.5", "0.75", "1.5", "2", "10"])
def test_what_is_fed_covers_the_span_and_a_run_up_on_both_sides(speed: str) -> None:
    span = Stretch(Fraction(speed), 12_345)

    assert span.run_up >= RUN_UP_SAMPLES
    assert span.run_up >= 4096 * span.speed  # some windows of each link of a chain
    assert span.skip > 0
    assert (span.input_count - 2 * span.run_up) / span.speed > span.count
    assert abs(span.skip - span.run_up / span.speed) <= 256 * abs(1 / span.speed - 1) + 1


def test_a_missing_filter_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audio_tempo, "filters", lambda: frozenset({"atempo"}))
    monkeypatch.setattr(audio_tempo, "ffmpeg_path", lambda: "/opt/ffmpeg")

    check_tempo(Fraction(2))
    with pytest.raises(BackendError, match=r"0\.5 times the speed .*'rubberband'.*/opt/ffmpeg.*unset REELPROC_FFMPEG"):
        check_tempo(Fraction(1, 2))
