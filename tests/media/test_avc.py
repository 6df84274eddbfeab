"""The bits of H.264's parameter sets and slices, and which packets make a frame together."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from field_pictures import BitWriter, coded_frames, nal_unit
from media_factory import numbered_video
from reelproc.media.bitstream.avc import Bits
from reelproc.media.bitstream.field_pairs import FieldPairs

PICTURE = np.full((32, 32), 60, np.uint8)
FRAMES = list(coded_frames([PICTURE] * 7))
SETS = FRAMES[0].fields[0]
"""Parameter sets, and a slice behind them."""


@given(
    st.lists(st.one_of(st.tuples(st.integers(1, 32), st.integers(0)), st.tuples(st.just(0), st.integers(0, 1 << 20))))
)
def test_bits_come_back(codes: list[tuple[int, int]]) -> None:
    writer = BitWriter()
    for count, value in codes:
        if count:
            writer.u(count, value % (1 << count))
        else:
            writer.ue(value)
    bits = Bits(nal_unit(1, 0, writer.aligned(stop=True))[5:])
    for count, value in codes:
        assert (bits.u(count) == value % (1 << count)) if count else (bits.ue() == value)


def test_behind_the_end_there_are_zeros() -> None:
    bits = Bits(b"\xf0")
    assert (bits.u(12), bits.u(4), bits.ue(), bits.u(1)) == (0xF00, 0, 0, 0)


def fields(pairs: FieldPairs, packets: list[bytes]) -> list[int]:
    return [pairs.field(packet) for packet in packets]


def test_each_packet_is_told_to_be_a_first_field_or_a_second() -> None:
    packets = [field for frame in FRAMES for field in frame.fields]
    assert fields(FieldPairs(SETS), packets) == [1, 2] * 7
    assert fields(FieldPairs(SETS), [b"".join(frame.fields) for frame in FRAMES]) == [0] * 7
    backwards = [field for frame in coded_frames([PICTURE] * 7, bottom_first=True) for field in frame.fields]
    assert fields(FieldPairs(SETS), backwards) == [1, 2] * 7


def test_a_field_whose_partner_is_lost_takes_no_other() -> None:
    packets = [field for frame in FRAMES for field in frame.fields]
    del packets[3]  # the second field of the frame shown fourth
    assert fields(FieldPairs(SETS), packets) == [1, 2, 1, *[1, 2] * 5]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("colours", [None, 1, 3])
def test_parameter_sets_of_every_make_are_understood(order: int, colours: int | None) -> None:
    sequence = BitWriter().u(8, 77 if colours is None else 244).u(16, 0).ue(5)
    if colours is not None:
        sequence.ue(colours).u(1 if colours == 3 else 0, 1 if colours == 3 else 0).ue(0, 0).u(1, 0).u(1, 1)
        for table in range(12 if colours == 3 else 8):
            sequence.u(1, table % 2)
            if table == 1:
                sequence.ue(*[1, 2] * 8)  # up and down, to the end of 16
            elif table % 2:
                sequence.ue(16)  # from 8 to 0: the rest is left out
    sequence.ue(6, order)  # frame numbers of ten bits
    if order == 0:
        sequence.ue(4)
    elif order == 1:
        sequence.u(1, 0).ue(7, 8, 3, 1, 2, 3)
    sequence.ue(2).u(1, 0).ue(1, 0).u(1, 0)
    picture = BitWriter().ue(9, 5)
    sets = nal_unit(7, 3, sequence.aligned(stop=True)) + nal_unit(8, 3, picture.aligned(stop=True))

    def field(number: int, bottom: int) -> bytes:
        head = BitWriter().ue(0, 5, 9).u(2 if colours == 3 else 0, 0).u(10, number).u(1, 1).u(1, bottom)
        return nal_unit(1, 2, head.u(32, 0).aligned(stop=True))

    packets = [field(700, 0), field(700, 1), field(701, 0), field(700, 1), field(701, 1)]
    assert fields(FieldPairs(sets), packets) == [1, 2, 1, 1, 1]


def test_a_frame_number_of_absurd_length_is_not_believed() -> None:
    sequence = BitWriter().u(8, 77).u(16, 0).ue(0).ue((1 << 60) - 1, 0, 4, 2).u(1, 0).ue(1, 0).u(1, 0)
    sets = nal_unit(7, 3, sequence.aligned(stop=True)) + nal_unit(8, 3, BitWriter().ue(0, 0).aligned(stop=True))
    packets = [field for frame in FRAMES[1:] for field in frame.fields]
    assert fields(FieldPairs(sets), packets) == [0] * len(packets)


@given(st.binary(max_size=200), st.lists(st.binary(max_size=60), max_size=5), st.booleans())
def test_garbage_makes_no_error(extradata: bytes, packets: list[bytes], known: bool) -> None:
    pairs = FieldPairs(SETS + extradata if known else extradata)
    for packet in packets:
        assert pairs.field(b"\0\0\1" + packet) in (0, 1, 2)
        assert pairs.field(packet) in (0, 1, 2)


@pytest.mark.parametrize(
    ("options", "may_hold_fields"),
    [({}, False), ({"x264-params": "interlaced=1:cqm=jvt"}, True), ({"x264-params": "interlaced=1:bframes=0"}, True)],
)
def test_a_stream_of_frames_is_not_looked_into(tmp_path: Path, options: dict[str, str], may_hold_fields: bool) -> None:
    made = numbered_video(tmp_path / "a.mp4", frame_count=8, codec="libx264", options=options)
    with av.open(os.fspath(made.path)) as container:
        stream: Any = container.streams.video[0]
        pairs = FieldPairs.of(stream)
        assert (pairs is not None) is may_hold_fields
        if pairs is not None:
            assert all(pairs.field(bytes(packet)) == 0 for packet in container.demux(stream))
