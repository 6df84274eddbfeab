"""The annotation table: what is read, what is refused and where, and that what is written is read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reelproc.annotations import (
    Annotation,
    annotated_reel,
    parse_annotations,
    read_annotations,
    write_annotations,
)
from reelproc.errors import ObjectNotFoundError, SpecError
from reelproc.stages.banner import Banner
from reelproc_lab import dataset

HEADER = "start_time\trating\ttags\tclip_name\tclip_duration"
ROW = "0:03\t4\tControl,Pass\tGreat Control Pass\t6.0"


def test_the_three_clips_of_the_test_set_are_read(tmp_path: Path) -> None:
    path = tmp_path / "test.short.tsv"
    path.write_text(f"{HEADER}\n{ROW}\n0:13\t4\tDribble\tFull Effort Play\t6.0\n0:59\t4\tPass\tGood Pass\t4.5\n")
    assert read_annotations(path) == dataset.annotations()


def test_a_byte_order_mark_line_ends_of_windows_and_blank_lines_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(f"\ufeff{HEADER}\tnotes\r\n{ROW}\tfirst touch\r\n\r\n1:02:03.5\t1\t\t\t2\r\n".encode())
    first, second = read_annotations(path)
    assert first.notes == "first touch"
    assert (second.start_time, second.name, second.notes) == (3723.5, "Blunder", "")


def test_columns_may_come_in_any_order() -> None:
    (found,) = parse_annotations("rating\tstart_time\tclip_duration\tclip_name\ttags\n5\t2:00\t3\tGoal\tShot, Goal\n")
    assert (found.rating, found.start_time, found.end_time, found.tags) == (5, 120.0, 123.0, ("Shot", "Goal"))


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("", (), "is empty"),
        ("start_time\trating\ttags\tclip_name\n", (1, "clip_duration"), "lacks the column 'clip_duration'"),
        (f"{HEADER}\tscore\n", (1, "score"), "unknown column 'score'"),
        (f"{HEADER}\trating\n", (1, "rating"), "twice the column 'rating'"),
        (f"{HEADER}\n3\t4\tPass\tA\t6.0\n", (2, "start_time"), r"line 2, column start_time: a time is M:SS.*got '3'"),
        (f"{HEADER}\n{ROW}\n0:61\t4\tPass\tA\t6.0\n", (3, "start_time"), "line 3, column start_time"),
        (f"{HEADER}\n0:03\t6\tPass\tA\t6.0\n", (2, "rating"), "from 1 to 5, got '6'"),
        (f"{HEADER}\n0:03\t4.0\tPass\tA\t6.0\n", (2, "rating"), "got '4.0'"),
        (f"{HEADER}\n0:03\t4\tPass\tA\t0\n", (2, "clip_duration"), "above 0, e.g. 4.5, got '0'"),
        (f"{HEADER}\n0:03\t4\tPass\tA\tnan\n", (2, "clip_duration"), "got 'nan'"),
        (f"{HEADER}\n0:03\t4\tPass\tA\n", (2, "clip_duration"), "line 2: the column clip_duration is missing"),
        (f"{HEADER}\n{ROW}\tnotes without a header\n", (2,), "line 2: 6 columns, expected 5"),
    ],
)
def test_what_is_no_table_is_refused_with_its_line_and_column(
    text: str, path: tuple[object, ...], message: str
) -> None:
    with pytest.raises(SpecError, match=message) as caught:
        parse_annotations(text, name="a.tsv")
    assert caught.value.path == path
    assert str(caught.value).startswith("a.tsv")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ObjectNotFoundError, match="no file"):
        read_annotations(tmp_path / "none.tsv")
    (tmp_path / "b.tsv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="UTF-8"):
        read_annotations(tmp_path / "b.tsv")


words = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), max_size=20)
times = st.integers(0, 20_000_000_000).map(lambda micro: micro / 1_000_000)
moments = st.builds(
    Annotation,
    start_time=times,
    rating=st.integers(1, 5),
    tags=st.lists(words.map(lambda t: t.replace(",", "")).filter(bool), max_size=3).map(tuple),
    clip_name=words,
    clip_duration=st.floats(1e-6, 1e6),
    notes=words,
)


@given(st.lists(moments, max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, found: list[Annotation]) -> None:
    path = tmp_path_factory.mktemp("tables") / "table.tsv"
    write_annotations(found, path)
    assert read_annotations(path) == tuple(found)


@pytest.mark.parametrize(
    "change", [{"clip_name": "a\tb"}, {"notes": "two\nlines"}, {"tags": ("a,b",)}, {"tags": ("",)}]
)
def test_what_a_table_cannot_hold_is_refused_before_anything_is_written(
    tmp_path: Path, change: dict[str, object]
) -> None:
    bad = dataset.annotations()[0].model_copy(update=change)
    with pytest.raises(SpecError, match=r"line 2, column \w+"):
        write_annotations([bad], tmp_path / "a.tsv")
    assert list(tmp_path.iterdir()) == []


def test_the_reel_has_a_clip_and_a_banner_for_each_moment() -> None:
    reel = annotated_reel("game.mp4", dataset.annotations())
    assert [(c.start, c.end) for c in reel.clips] == [(3.0, 9.0), (13.0, 19.0), (59.0, 63.5)]
    banners = [stage for clip in reel.clips for stage in clip.stages if isinstance(stage, Banner)]
    assert [b.title for b in banners] == ["!  Great Control Pass", "!  Full Effort Play", "!  Good Pass"]
    assert (reel.output.width, reel.output.height) == (None, None)
    assert not any(clip.stages for clip in annotated_reel("game.mp4", dataset.annotations(), banners=False).clips)


def test_a_table_without_lines_makes_no_reel() -> None:
    with pytest.raises(SpecError, match="no clips"):
        annotated_reel("game.mp4", parse_annotations(HEADER))
