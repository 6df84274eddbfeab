"""Text as a reader sees it: cleaned, in user-perceived characters, with the places where a line may break.

Clusters follow UAX #29 and breaks UAX #14 as far as captions need it: marks, joined emoji and flags stay whole; lines
break at spaces, behind hyphens and dashes, and between Chinese and Japanese characters except where their punctuation
forbids it.
"""

from __future__ import annotations

import unicodedata

__all__ = ["clean", "clusters", "words"]

_JOINER, _NON_JOINER = "\u200d", "\u200c"
_SPACE = "\u200b"
_KEPT_FORMATS = frozenset({_JOINER, _NON_JOINER, _SPACE, "\u200e", "\u200f", "\u061c"})
_NOT_BEFORE = frozenset(
    "、。，．：；？！…‥）」』】〉》〕］｝’”ー々ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮヵヶ・％℃,.:;?!)]}"
)
_NOT_BEHIND = frozenset("（「『【〈《〔［｛‘“([{")
_BREAK_BEHIND = frozenset("-‐–—/" + _SPACE)


def clean(text: str) -> str:
    """``text`` composed (NFC), with newlines as line ends, tabs as spaces, and without what cannot be drawn.

    Left out are control characters, soft hyphens and the explicit bidirectional controls.

    >>> clean("a\\tb\\r\\nc\\x00")
    'a b\\nc'
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
    """``text`` in user-perceived characters.

    >>> [len(cluster) for cluster in clusters("e\\u0323\\u0302a")]
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
    if unicodedata.category(character) in ("Mn", "Mc", "Me") or character in (_JOINER, _NON_JOINER):
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0xE0020 <= code <= 0xE007F:
        return True
    if cluster[-1] == _JOINER:
        return code >= 0x2190 and unicodedata.category(character) == "So"
    return _is_flag_letter(character) and len(cluster) == 1 and _is_flag_letter(cluster)


def _is_flag_letter(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF


def words(text: str) -> list[str]:
    """One line's text in the pieces between which it may break; spaces stay at the end of the piece before.

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
        return not after.isdigit()
    return _is_ideograph(before) or _is_ideograph(after)


def _is_ideograph(character: str) -> bool:
    code = ord(character)
    return (
        0x2E80 <= code <= 0x30FF or 0x3400 <= code <= 0x9FFF or 0xF900 <= code <= 0xFAFF or 0x20000 <= code <= 0x3FFFF
    )
