"""The rate of a file and the length of its last frame, where the container's word cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest

from reelproc.media.packets.frame_rates import HEAD_PACKETS, end_of_last, frame_rate, shown_ends
from reelproc.media.packets.index import IndexedPacket

MOV = "mov,mp4,m4a,3gp,3g2,mj2"
THOUSANDTH = Fraction(1, 1000)


def packets(pts: Sequence[int], duration: int = 0, *, reordered: bool = False) -> list[IndexedPacket]:
    order = list(pts)
    if reordered:  # each third picture is decoded before the two that are shown before it
        order = [order[n] for first in range(0, len(order), 3) for n in (first + 2, first, first + 1) if n < len(order)]
    return [IndexedPacket(each, when, duration, 100, False, False) for each, when in zip(order, pts, strict=True)]


def stamps(rate: Fraction, count: int, unit: Fraction = THOUSANDTH) -> list[int]:
    return [round(n / rate / unit) for n in range(count)]


@pytest.mark.parametrize("unit", [THOUSANDTH, Fraction(1, 90_000), Fraction(1, 600)])
@pytest.mark.parametrize("stated", [None, Fraction(1000), Fraction(600), Fraction(1), Fraction(120)])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(25), Fraction(30), Fraction(50), Fraction(60), Fraction(12)])
def test_a_rate_that_packets_contradict_is_measured(rate: Fraction, stated: Fraction | None, unit: Fraction) -> None:
    for count in (40, 3 * HEAD_PACKETS):
        times = stamps(rate, count, unit)
        tail = packets(times[-60:])
        found = frame_rate(stated, tail, lambda every=times: packets(every[:HEAD_PACKETS]), unit, "mpegts")
        assert found == rate


@pytest.mark.parametrize("rate", [Fraction(24000, 1001), Fraction(30000, 1001), Fraction(60000, 1001)])
def test_an_ntsc_rate_is_told_from_a_whole_one_in_a_long_file(rate: Fraction) -> None:
    times = stamps(rate, 3 * HEAD_PACKETS)
    tail, head = packets(times[-120:], reordered=True), packets(times[:HEAD_PACKETS], reordered=True)
    assert frame_rate(Fraction(600), tail, lambda: head, THOUSANDTH, "flv") == rate


@pytest.mark.parametrize(
    "times", [[0, 33, 66, 133, 166, 300], [0, 17, 33, 50, 500, 517, 533], [40 * n for n in range(20)] + [1000, 1033]]
)
def test_a_variable_rate_keeps_the_mean_that_is_stated(times: list[int]) -> None:
    assert frame_rate(Fraction(30), packets(times), lambda: packets(times), THOUSANDTH, "matroska,webm") == 30


def test_a_slow_end_does_not_contradict_a_file_that_began_at_its_rate() -> None:
    head = packets(stamps(Fraction(30), HEAD_PACKETS))
    tail = packets([100_000 + 500 * n for n in range(5)])
    assert frame_rate(Fraction(30), tail, lambda: head, THOUSANDTH, "matroska,webm") == 30


def test_of_a_single_frame_the_rate_is_as_stated() -> None:
    assert frame_rate(Fraction(600), packets([0]), lambda: packets([0]), THOUSANDTH, "mpegts") == 600


@pytest.mark.parametrize(
    ("lengths", "format_name", "end"),
    [
        ((33, 34, 33, 20), "matroska,webm", 120),  # packets that say the truth are believed
        ((1, 1, 1, 1), "matroska,webm", 133),
        ((0, 0, 0, 0), "mpegts", 133),
        ((33, 34, 33, 0), "flv", 133),
        ((1, 1, 1, 7), MOV, 107),  # MP4 lists lengths
        ((1, 1, 1, 0), MOV, 133),
    ],
)
def test_the_last_frame_lasts_as_it_says_or_as_the_one_before(
    lengths: tuple[int, ...], format_name: str, end: int
) -> None:
    pts = (0, 33, 67, 100)
    assert end_of_last({at: at + lasts for at, lasts in zip(pts, lengths, strict=True)}, format_name) == end


def test_a_lone_frame_lasts_to_the_end_of_the_file() -> None:
    assert end_of_last({100: 101}, "matroska,webm", whole=140) == 140
    assert end_of_last({100: 101}, "matroska,webm") == 101


def test_an_empty_packet_and_a_second_field_lengthen_the_frame_before() -> None:
    frame, empty = IndexedPacket(0, 0, 1, 9, True, False), IndexedPacket(1, 1, 1, 0, False, False)
    second = IndexedPacket(3, 3, 2, 9, False, False, field=2)
    assert shown_ends([frame, empty]) == {0: 2}
    assert shown_ends([frame, second]) == {0: 5}
