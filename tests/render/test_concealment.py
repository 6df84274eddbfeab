"""What segments conceal is remembered beside them, and reported once."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video
from reelproc.errors import EncodeError
from reelproc.render.concealment import Concealment, concealments, damage_warnings, notes_path, write_notes


def test_a_lost_frame_that_two_segments_show_is_one(tmp_path: Path) -> None:
    one, two = tmp_path / "a.mp4", tmp_path / "b.mp4"
    write_notes(one, [Concealment(0, 2.5), Concealment(0, None, 3)])
    write_notes(two, [Concealment(0, 0.5), Concealment(0, 2.5), Concealment(1, None, 1)])
    assert concealments([one, two]) == [
        Concealment(0, 0.5),
        Concealment(0, 2.5),
        Concealment(0, None, 3),
        Concealment(1, None, 1),
    ]


def test_notes_that_cannot_be_written_are_an_error_and_leave_nothing(tmp_path: Path) -> None:
    segment = tmp_path / "a.mp4"
    notes_path(segment).mkdir()
    with pytest.raises(EncodeError, match="cannot be written"):
        write_notes(segment, [])
    assert list(tmp_path.iterdir()) == [notes_path(segment)]


def test_there_is_one_warning_per_clip_and_kind_of_damage(tmp_path: Path) -> None:
    made = numbered_video(tmp_path / "game.mp4", frame_count=60)
    clips = [rp.Clip(source=made.path, start=0, end=1), rp.Clip(source=made.path, start=1, end=2)]
    plan = rp.plan(rp.Reel(clips=clips))
    lost = [Concealment(1, float(Fraction(n, 30))) for n in range(30, 52)]
    warnings = damage_warnings(plan, [*lost, Concealment(0, None, 2), Concealment(0, None, 1)])
    assert [w.split(":")[0] for w in warnings] == ["clip 0", "clip 1"]
    assert "at least 3 of its frames" in warnings[0]
    assert "22 source frames" in warnings[1]
    assert "1.000, 1.033" in warnings[1]
    assert warnings[1].endswith("1.633, ... s")
    assert damage_warnings(plan, []) == []
