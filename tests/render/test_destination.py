"""Where a result goes, and in which container."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from reelproc.errors import SpecError
from reelproc.render.destination import Destination


@pytest.mark.parametrize(
    ("name", "container", "has_edit_list"),
    [("a.mp4", "mp4", True), ("a.M4V", "mp4", True), ("a.mov", "mov", True), ("a.mkv", "matroska", False)],
)
def test_the_ending_names_the_container(tmp_path: Path, name: str, container: str, has_edit_list: bool) -> None:
    destination = Destination.at(str(tmp_path / name))
    assert (destination.container, destination.has_edit_list) == (container, has_edit_list)


@pytest.mark.parametrize(("name", "hint"), [("a.avi", ".mp4, .m4v, .mov, .mkv"), ("a.PNG", "reelproc still")])
def test_another_ending_is_refused(tmp_path: Path, name: str, hint: str) -> None:
    with pytest.raises(SpecError, match=hint) as refused:
        Destination.at(str(tmp_path / name))
    assert refused.value.path == ("output",)


@pytest.mark.parametrize("name", ["a.mov", "a.mkv"])
def test_the_file_is_of_its_container_whatever_it_is_called_meanwhile(tmp_path: Path, name: str) -> None:
    destination, partial = Destination(tmp_path / name), tmp_path / "part"
    with destination.create(partial) as out:
        stream = out.add_stream("mjpeg", rate=30)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuvj420p"
        out.mux(stream.encode(av.VideoFrame(16, 16, "yuvj420p")))
        out.mux(stream.encode())
    with av.open(str(partial)) as made:
        assert destination.container in made.format.name
    assert not destination.path.exists()
