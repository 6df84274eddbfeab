"""How a render is divided, what a price table says, and how progress is kept in pages."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc.errors import SpecError
from reelproc.executors.modal.presets import PRESETS
from reelproc.executors.modal.records import PAGE_EVENTS, EventPages, read_events
from reelproc.jobs import ChunkJob, RenderJob, job_from_json
from reelproc.prices import PRICES
from reelproc.reel import Clip, Reel
from reelproc.render.chunks import divided, with_parts
from reelproc.results import Progress, RenderResult


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60), st.integers(1, 80))
def test_a_division_leaves_nothing_out_and_nothing_empty(lengths: list[int], parts: int) -> None:
    ranges = divided(lengths, parts)
    assert len(ranges) == min(parts, len(lengths))
    assert [n for share in ranges for n in share] == list(range(len(lengths)))
    assert all(share for share in ranges)


def test_equal_segments_are_divided_equally() -> None:
    assert [len(share) for share in divided([300] * 12, 4)] == [3, 3, 3, 3]


def test_phases_of_the_parts_are_added_to_the_whole() -> None:
    part = RenderResult(
        output="x", frame_count=1, duration_seconds=1, fps="1", width=2, height=2, phases={"encode": 2.0, "wall": 9.0}
    )
    assert with_parts({"encode": 0.5, "wall": 3.0}, [part, part]) == {"encode": 4.5, "wall": 3.0, "parts": 18.0}


@pytest.mark.parametrize("chunks", [0, -1, 101, "some"])
def test_chunks_are_a_number_or_auto(chunks: Any) -> None:
    with pytest.raises(SpecError, match="chunks"):
        RenderJob(reel=Reel(clips=[Clip(source="a.mp4")]), output="b.mp4", chunks=chunks)


def test_a_chunk_is_a_job_like_any_other() -> None:
    job = RenderJob(reel=Reel(clips=[Clip(source="a.mp4")]), output="b.mp4", chunks="auto")
    chunk = ChunkJob(render=job, segments=(0, 2), output="s3://bucket/segments")
    assert job_from_json(chunk.model_dump_json()) == chunk


def test_cores_and_memory_are_billed_on_top_of_a_gpu() -> None:
    hardware = PRESETS["modal-t4"].hardware
    assert hardware.usd_per_second == pytest.approx(0.000164 + 4 * 0.0000131 + 16 * 0.00000222)
    with pytest.raises(SpecError, match="no price is known of a GPU 'T5'"):
        PRICES.usd_per_second(gpu="T5")


class Shelf(dict[str, Any]):
    """A Dict that counts, and can be gone."""

    gone = False

    def get(self, key: str, default: Any = None) -> Any:
        if self.gone:
            raise ConnectionError("gone")
        return super().get(key, default)

    def put(self, key: str, value: Any, *, skip_if_exists: bool = False) -> bool:
        if self.gone:
            raise ConnectionError("gone")
        self[key] = value
        return True


def event(done: int, phase: str = "render") -> Progress:
    return Progress(phase=phase, done=done, total=1000)


def test_events_are_read_once_each_over_pages() -> None:
    shelf = Shelf()
    assert read_events(shelf, "fc-1", 0) == ((), 0, False)
    with EventPages(shelf, "fc-1", lost=()).running() as pages:
        assert read_events(shelf, "fc-1", 0)[2], "begun, though nothing has been told yet"
        for n in range(PAGE_EVENTS * 2 + 5):
            pages(event(0, phase=f"p{n}"))
    read, cursor, _ = read_events(shelf, "fc-1", 0)
    assert [e.phase for e in read] == [f"p{n}" for n in range(PAGE_EVENTS * 2 + 5)]
    assert read_events(shelf, "fc-1", cursor) == ((), cursor, True)
    with EventPages(shelf, "fc-1", lost=()).running() as again:
        again(event(1))
    assert [e.done for e in read_events(shelf, "fc-1", cursor)[0]] == [1], "another attempt goes on behind the first"


def test_what_was_not_written_yet_gives_way_to_what_is_newer() -> None:
    shelf = Shelf()
    with EventPages(shelf, "fc-1", lost=()).running() as pages:
        for n in range(1000):
            pages(event(n))
    read, _, _ = read_events(shelf, "fc-1", 0)
    assert len(read) < 100
    assert read[-1].done == 999


def test_a_lost_dict_is_no_reason_to_fail() -> None:
    shelf = Shelf()
    shelf.gone = True
    with EventPages(shelf, "fc-1", lost=(ConnectionError,)).running() as pages:
        pages(event(1))
