"""Segments are found again by the names of their content."""

from __future__ import annotations

from pathlib import Path

import pytest

import reelproc as rp
from media_factory import numbered_video
from reelproc.media.write.encoders import EncoderSettings
from reelproc.render.plan import Plan, Segment
from reelproc.render.segment_files import SegmentFiles, segment_key
from reelproc.render.segment_store import SegmentStore
from reelproc.storage.sources import Sources

SETTINGS = EncoderSettings(preset="ultrafast")


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    made = numbered_video(tmp_path_factory.mktemp("footage") / "game.mp4", frame_count=90)
    clips = [rp.Clip(source=made.path, start=start, end=start + 1) for start in (0, 1, 0)]
    return rp.plan(rp.Reel(clips=clips), smart_copy=False)


def test_equal_content_has_one_name_and_all_else_another(plan: Plan) -> None:
    def key(first: int, end: int, *, crf: int = 23, conceal: bool = False) -> str:
        settings = EncoderSettings(preset="ultrafast", crf=crf)
        return segment_key(plan, Segment(first, end), settings, sources=Sources(), conceal=conceal)

    assert key(0, 30) == key(60, 90), "the third clip shows what the first does"
    others = [key(0, 30), key(0, 29), key(1, 30), key(30, 60), key(0, 30, crf=20), key(0, 30, conceal=True)]
    assert len(set(others)) == len(others)


def test_a_segment_is_there_when_its_notes_are(tmp_path: Path) -> None:
    segment = tmp_path / "a.mp4"
    files = SegmentFiles((None, segment))
    assert files.wanted == [(1, segment)]
    assert not files.has(segment)
    segment.write_bytes(b"frames")
    assert not files.has(segment), "whether it is whole is not known"
    files.keep(segment, [])
    assert files.has(segment)
    files.discard()
    assert not segment.exists()


def test_what_another_worker_has_put_into_the_store_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    store = SegmentStore(str(tmp_path / "store"))
    theirs, mine = tmp_path / "there" / "a.mp4", tmp_path / "here" / "a.mp4"
    theirs.parent.mkdir()
    theirs.write_bytes(b"frames")
    mine.parent.mkdir()
    files = SegmentFiles((mine,), store)
    assert not files.has(mine)
    SegmentFiles((theirs,), store).keep(theirs, [])
    assert files.has(mine)
    assert mine.read_bytes() == b"frames"
    files.forget()
    assert list((tmp_path / "store").iterdir()) == []
