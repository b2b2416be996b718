"""Sanitizing of external text for a terminal: one line, without control sequences.

Escape sequences are removed whole (ECMA-48: CSI, OSC, DCS, APC, PM, SOS, in their 7-bit and 8-bit
forms), then every character that is neither visible nor a plain space.
"""

import re
import unicodedata

from pex_tui.core.masking import masked

LINE_LIMIT = 4096
MARK = "…"
_TAB_WIDTH = 8
_REPLACEMENT = "\ufffd"
_LINE_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85"

# Python decodes a byte that is not UTF-8 into a lone surrogate of this range; other surrogates come
# from JSON.
_HALF = re.compile("[\ud800-\udfff]")
_ORPHAN = re.compile("[\ud800-\udc7f\udd00-\udfff]")
# An unterminated string sequence extends to the end of the text or to the next escape.
_SEQUENCE = re.compile(
    r"(?:\x1b[\]PX^_]|[\x90\x98\x9d\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|\x1b[ -/]*[0-~]?"
)


# Terminals disagree on the width of a character followed by these: U+26A0 U+FE0F has two cells by
# the standard and one in tmux 3.3a, a thumb with a skin tone two and four.
_UNDRAWN = dict.fromkeys((0xFE0E, 0xFE0F, *range(0x1F3FB, 0x1F400)))
_BREAKS = re.compile(r"(\r?\n|\t)")


def clean(text: str, limit: int = LINE_LIMIT) -> str:
    """Return the text as one safe line of at most `limit` characters, cut with `…`.

    Secrets in it are masked.
    """
    return _cut(masked(_printable(_cut(text, limit))), limit)


def _printable(text: str) -> str:
    if not text.isascii():
        text = text.translate(_UNDRAWN)
    if text.isprintable():
        return text
    if not text.isascii() or "\x1b" in text:
        text = _SEQUENCE.sub("", text)
    if "\t" in text:
        text = text.expandtabs(_TAB_WIDTH)
    if not text.isprintable():
        text = "".join(
            character if character.isprintable() else _substitute(character) for character in text
        )
    return text


def clean_text(text: str) -> str:
    """Return the text for a multi-line field: safe, uncut, with its line breaks and tabs.

    Nothing is masked, as the field's text is used after a person has edited it.
    """
    parts = _BREAKS.split(text)
    return "".join(part[-1] if _BREAKS.fullmatch(part) else _printable(part) for part in parts)


def clean_bytes(raw: bytes, limit: int = LINE_LIMIT) -> str:
    """Return bytes that may be UTF-8 as one safe line; invalid bytes become U+FFFD."""
    most = 4 * (limit + 1)  # at most four bytes a character: what is cut here is cut below too
    return clean(raw[:most].decode("utf-8", "replace"), limit)


def spelled(text: str) -> str:
    r"""Return the text with each non-UTF-8 byte escaped (`\xff`), as git and Python do."""
    return text if text.isascii() else _HALF.sub(_spelling, text)


def raw(text: str) -> bytes:
    """Return the bytes of a text; lone surrogates that stand for no byte become `?`."""
    return _ORPHAN.sub("?", text).encode("utf-8", "surrogateescape")


def _spelling(half: re.Match[str]) -> str:
    code = ord(half[0])
    return f"\\x{code - 0xDC00:02x}" if 0xDC80 <= code <= 0xDCFF else _REPLACEMENT  # noqa: PLR2004


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: max(0, limit - 1)] + MARK[:limit]


def _substitute(character: str) -> str:
    """Return the replacement of an unprintable character."""
    category = unicodedata.category(character)
    if category == "Co":  # icons of patched fonts: visible and harmless
        return character
    if category.startswith("Z") or character in _LINE_BREAKS:
        return " "
    if category in {"Cs", "Cn"}:
        return _REPLACEMENT
    return ""
