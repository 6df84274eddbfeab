"""The report as one HTML file that needs nothing else: style and charts are in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from reelproc_lab.charts import case_chart, overview_chart
from reelproc_lab.harness import Outcome
from reelproc_lab.report import Section, Table

_CSS = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: #1f2933; background: #fff;
  max-width: 74rem; margin: 2.5rem auto; padding: 0 1.25rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 1rem; }
h2 { font-size: 1.2rem; margin: 2.4rem 0 .6rem; padding-top: .8rem; border-top: 1px solid #d9dee4; }
p { margin: .45rem 0; max-width: 52rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .32rem .7rem; border-bottom: 1px solid #e6eaee; text-align: right; vertical-align: top;
  white-space: nowrap; }
th { background: #f4f6f8; font-weight: 600; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; font-weight: 600; white-space: nowrap; }
table.text td { text-align: left; white-space: normal; }
table.text td:nth-child(2) { font-weight: 600; color: #0072b2; white-space: nowrap; }
table.text th { text-align: left; }
ul { padding-left: 1.2rem; color: #52606d; max-width: 52rem; }
figure { margin: 1rem 0; } svg { width: 100%; height: auto; max-width: 54rem; display: block; }
""".strip()


def page(outcome: Outcome, sections: Sequence[Section]) -> str:
    """Return the whole document.

    Raises:
        MissingDependencyError: the extra ``report`` is not installed.
    """
    parts = []
    for number, section in enumerate(sections):
        level = 1 if number == 0 else 2
        parts.append(f"<h{level}>{escape(section.title)}</h{level}>")
        parts += [f"<p>{_inline(text)}</p>" for text in section.paragraphs]
        parts += [_table(table) for table in section.tables]
        parts += [f"<figure>{_chart(outcome, case)}</figure>" for case in section.charts if _drawable(outcome, case)]
        if section.notes:
            parts.append("<ul>" + "".join(f"<li>{_inline(note)}</li>" for note in section.notes) + "</ul>")
    title = escape(sections[0].title)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{title}</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>\n{_CSS}\n</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _drawable(outcome: Outcome, case: str) -> bool:
    return any(s.client_seconds for s in outcome.summaries if s.counts and case in ("", s.case))


def _chart(outcome: Outcome, case: str) -> str:
    arms = [s for s in outcome.summaries if s.counts and case in ("", s.case)]
    if not case:
        return overview_chart(arms)
    return case_chart(arms, [r for r in outcome.records if r.case == case])


def _table(table: Table) -> str:
    prose = ' class="text"' if table.prose else ""
    head = "".join(f"<th>{escape(cell)}</th>" for cell in table.header)
    rows = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>\n" for row in table.rows)
    return f'<div class="scroll"><table{prose}>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>'


def _inline(text: str) -> str:
    """Bold is all the Markdown that the sections use."""
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text))
