"""Divide text as a reader sees it: cleaned, into user-perceived characters, and where a line may break.

Clusters follow UAX #29 and breaks UAX #14 as far as captions need it: marks, joined emoji and flags stay whole; lines
break at spaces, after hyphens and dashes, and between Chinese and Japanese characters except where their punctuation
forbids it.
"""

from __future__ import annotations

import unicodedata

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_SPACE = "\u200b"
_MARKS = ("Mn", "Mc", "Me")
_EXTENDING = frozenset({_JOINER, _NON_JOINER, "\u0e33", "\u0eb3"})
"""The joiners, and the vowel am of Thai and Lao, which Unicode calls a letter."""
_HANGUL = {
    "L": ((0x1100, 0x115F), (0xA960, 0xA97C)),
    "V": ((0x1160, 0x11A7), (0xD7B0, 0xD7C6)),
    "T": ((0x11A8, 0x11FF), (0xD7CB, 0xD7FB)),
}
_CONJUNCT_BLOCKS = (0x900, 0x980, 0xA80, 0xB00, 0xC00, 0xD00)
"""Devanagari, Bengali, Gujarati, Oriya, Telugu, Malayalam."""
_KEPT_FORMATS = frozenset({_JOINER, _NON_JOINER, _SPACE, "\u200e", "\u200f", "\u061c"})
_NOT_BEFORE = frozenset(
    "、。，．：；？！…‥）」』】〉》〕］｝’”ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ・％℃,.:;?!)]}"
)
_NOT_BEHIND = frozenset("（「『【〈《〔［｛‘“([{")
_BREAK_BEHIND = frozenset("-‐–—/" + _SPACE)


def clean(text: str) -> str:
    r"""Compose ``text`` (NFC), with newlines as line ends, tabs as spaces, and without characters that cannot be drawn.

    Left out are control characters, soft hyphens and the explicit bidirectional controls.

    >>> clean("a\tb\r\nc\x00")
    'a b\nc'
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = text.replace("\u2028", "\n").replace("\u2029", "\n").replace("\x0b", "\n").replace("\x0c", "\n")
    return "".join(_cleaned(c) for c in text)


def _cleaned(character: str) -> str:
    if character == "\n" or character in _KEPT_FORMATS or "\U000e0020" <= character <= "\U000e007f":
        return character
    if character == "\t":
        return " "
    return "" if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character


def clusters(text: str) -> list[str]:
    r"""Split ``text`` into user-perceived characters.

    >>> [len(cluster) for cluster in clusters("e\u0323\u0302a")]
    [3, 1]
    """
    found: list[str] = []
    for character in text:
        if found and _continues(found[-1], character):
            found[-1] += character
        else:
            found.append(character)
    return found


def _continues(cluster: str, character: str) -> bool:
    code = ord(character)
    if unicodedata.category(character) in _MARKS or character in _EXTENDING:
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:  # skin tones; the letters of a region's flag
        return True
    if cluster[-1] == _JOINER and code >= 0x2190 and unicodedata.category(character) == "So":
        return True
    if _is_flag_letter(character):
        return len(cluster) == 1 and _is_flag_letter(cluster)
    return _is_syllable(cluster[-1], character) or _is_conjunct(cluster, code)


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def _is_syllable(before: str, after: str) -> bool:
    """Return whether two letters of Hangul belong to one syllable (UAX #29, GB6 to GB8)."""
    joined = {"L": ("L", "V", "LV", "LVT"), "V": ("V", "T"), "LV": ("V", "T"), "T": ("T",), "LVT": ("T",)}
    return _hangul_part(after) in joined.get(_hangul_part(before), ())


def _hangul_part(character: str) -> str:
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        return "LV" if (code - 0xAC00) % 28 == 0 else "LVT"
    return next((part for part, ranges in _HANGUL.items() if any(low <= code <= high for low, high in ranges)), "")


def _is_conjunct(cluster: str, code: int) -> bool:
    """Return whether a consonant is joined to the one before it by a virama (UAX #29, GB9c).

    The blocks of the six scripts are laid out alike: consonants at 15 to 39 and 58 to 5F, the virama at 4D.
    """
    place = code % 128
    if code - place not in _CONJUNCT_BLOCKS or not (0x15 <= place <= 0x39 or 0x58 <= place <= 0x5F):
        return False
    for character in reversed(cluster):
        if ord(character) % 128 == 0x4D and ord(character) - 0x4D in _CONJUNCT_BLOCKS:
            return True
        if character != _JOINER and unicodedata.category(character) != "Mn":
            return False
    return False


def words(text: str) -> list[str]:
    """Return one line's text in the pieces between which it may break, each with the spaces after it.

    >>> words("two words, 日本（語）")
    ['two ', 'words, ', '日', '本', '（語）']
    """
    found: list[str] = []
    for cluster in clusters(text):
        if found and not _may_break(found[-1][-1], cluster[0]):
            found[-1] += cluster
        else:
            found.append(cluster)
    return found


def _may_break(before: str, after: str) -> bool:
    if after == " ":
        return False
    if before == " ":
        return True
    if after in _NOT_BEFORE or before in _NOT_BEHIND:
        return False
    if before in _BREAK_BEHIND:
        return not after.isdigit() and after not in _BREAK_BEHIND
    return _is_ideograph(before) or _is_ideograph(after)


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    return (
        0x2E80 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF
    )
