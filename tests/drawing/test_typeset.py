"""Directions, user-perceived characters and line breaks."""

from __future__ import annotations

import pytest

from reelproc.drawing.typeset.bidi import levels, visual_order
from reelproc.drawing.typeset.clusters import clean, clusters, words


def seen(text):
    """``text`` as it stands on the screen from left to right, capitals standing for Hebrew letters."""
    hebrew = {chr(65 + i): chr(0x5D0 + i) for i in range(22)}
    back = {v: k for k, v in hebrew.items()}
    real = "".join(hebrew.get(c, c) for c in text)
    _, found = levels(real)
    mirrored = str.maketrans("()[]", ")(][")
    return "".join(
        back.get(real[i], real[i].translate(mirrored) if found[i] % 2 else real[i]) for i in visual_order(found)
    )


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("plain text, 3:2", "plain text, 3:2"),
        ("ABC", "CBA"),
        ("goal by ABC now", "goal by CBA now"),
        ("ABC 12 DEF", "FED 12 CBA"),
        ("ABC 3:2!", "!3:2 CBA"),
        ("ABC 90+3", "90+3 CBA"),
        ("ABC goal DEF", "FED goal CBA"),
        ("ABC (abc)", "(abc) CBA"),
        ("abc (ABC)", "abc (CBA)"),
        ("abc (ABC) (DEF)", "abc (CBA) (FED)"),
        ("ABC (DEF) abc", "abc (FED) CBA"),
        ("a ABC, DEF b", "a FED ,CBA b"),
        ("ABC 50%", "50% CBA"),
        ("", ""),
    ],
)
def test_text_stands_as_the_unicode_algorithm_says(written, shown):
    """Capitals are right-to-left letters, as in UAX #9's own examples."""
    assert seen(written) == shown


def test_arabic_letters_make_numbers_after_them_arabic():
    base, found = levels("\u0635 12")
    assert (base, found) == (1, [1, 1, 2, 2])


def test_a_given_direction_holds_whatever_the_text_says():
    assert levels("abc", 1) == (1, [2, 2, 2])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", ["a", "b", "c"]),
        ("e\u0323\u0302x", ["e\u0323\u0302", "x"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("👨\u200d👩\u200d👧!", ["👨\u200d👩\u200d👧", "!"]),
        ("👍🏽👍", ["👍🏽", "👍"]),
        ("1\ufe0f\u20e32", ["1\ufe0f\u20e3", "2"]),
        ("नि", ["नि"]),
        ("नमस्ते", ["न", "म", "स्ते"]),
        ("ক্ষ", ["ক্ষ"]),
        ("क्\u200dष", ["क्\u200dष"]),
        ("क् ष", ["क्", " ", "ष"]),
        ("தமிழ்", ["த", "மி", "ழ்"]),
        ("กำลัง", ["กำ", "ลั", "ง"]),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", ["\u1112\u1161\u11ab", "\u1100\u1173\u11af"]),
        ("한국", ["한", "국"]),
        ("", []),
    ],
)
def test_clusters_are_what_a_reader_takes_for_one_character(text, expected):
    assert clusters(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("one two", ["one ", "two"]),
        ("one  two ", ["one  ", "two "]),
        ("well-known 3-2", ["well-", "known ", "3-2"]),
        ("wait -- what", ["wait ", "-- ", "what"]),
        ("https://a.b/c", ["https://", "a.b/", "c"]),
        ("日本語", ["日", "本", "語"]),
        ("素晴らしい。「次」", ["素", "晴", "ら", "し", "い。", "「次」"]),
        ("シュート", ["シュー", "ト"]),
        ("gol日x", ["gol", "日", "x"]),
        ("한국 골", ["한국 ", "골"]),
        ("", []),
    ],
)
def test_lines_may_break_at_spaces_hyphens_and_between_ideographs(text, expected):
    assert words(text) == expected


def test_cleaning_composes_and_drops_what_cannot_be_drawn():
    assert clean("e\u0301\x00\x1b\u202e\u2066x\ufeff") == "\u00e9x"
    assert clean("a\r\nb\rc\u2028d") == "a\nb\nc\nd"
    assert clean("a\u200db\u200f") == "a\u200db\u200f"
