"""HTML for notebooks: what a value shows of itself where pictures and tables can be shown."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote


def table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]], remarks: Iterable[str] = ()) -> str:
    """Return a table as HTML; all text is escaped.

    >>> table("a < b", ["n"], [[1]])
    '<div><b>a &lt; b</b><table><tr><th>n</th></tr><tr><td>1</td></tr></table></div>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    below = "".join(f"<div>{escape(remark)}</div>" for remark in remarks)
    return f"<div><b>{escape(title)}</b><table><tr>{head}</tr>{body}</table>{below}</div>"


def video(output: str) -> str:
    """Return a player for a file in the current folder or below; nothing for others, which a notebook cannot show.

    >>> video("s3://bucket/reel.mp4")
    ''
    """
    if "://" in output or not Path(output).is_file():
        return ""
    place = os.path.relpath(output)
    return "" if place.startswith("..") else f'<video controls width="320" src="{escape(quote(place))}"></video>'
