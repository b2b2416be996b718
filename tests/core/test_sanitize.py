"""Cleaning: text for people contains nothing that controls a terminal."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.sanitize import LINE_LIMIT, MARK, clean, clean_bytes, clean_text, raw, spelled

# Except characters that terminals draw at two widths: variation selectors, skin colours.
ONE_WIDTH = st.characters(
    exclude_categories=("C", "Z"),
    exclude_characters="\ufe0e\ufe0f\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff",
)
ANYTHING = st.text(alphabet=st.characters())
SEQUENCES = st.sampled_from(
    [
        "\x1b[31m",
        "\x1b[2J",
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]0;title\x1b\\",
        "\x1b]8;;http://x\x9c",
        "\x1bP1$q\x1b\\",
        "\x1b_Ga=T\x1b\\",
        "\x9b31m",
        "\x9d0;title\x07",
        "\x1bc",
        "\x1b(0",
        "\x1b[>c",
        "\x1b",
        "\x00",
        "\x7f",
        "\u202e",
        "\u2066",
        "\u200b",
        "\u2028",
        "\ud800",
        "\t",
        "\r\n",
    ]
)
HOSTILE = st.lists(st.one_of(ANYTHING, SEQUENCES)).map("".join)


def is_harmless(text: str) -> bool:
    return all(
        character.isprintable() or unicodedata.category(character) == "Co" for character in text
    )


@given(HOSTILE)
def test_nothing_that_steers_a_terminal_passes(text: str) -> None:
    assert is_harmless(clean(text))


@given(HOSTILE)
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@given(st.binary())
def test_any_bytes_become_a_harmless_line(raw: bytes) -> None:
    assert is_harmless(clean_bytes(raw))


@given(HOSTILE, st.integers(min_value=0, max_value=20))
def test_a_line_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(clean(text, limit)) <= limit


@given(st.text(alphabet=ONE_WIDTH, max_size=200))
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("a\x1b]52;c;ZXZpbA==\x07b", "ab"),
        ("a\x1b]0;title\x1b\\b", "ab"),
        ("a\x1bPq#0\x1b\\b", "ab"),
        ("a\x1b_payload\x1b\\b", "ab"),
        ("a\x9b2Jb", "ab"),
        ("a\x1b]0;never ends", "a"),
        ("a\x1b[12", "a"),
        ("a\tb", "a       b"),
        ("a\nb\r\nc", "a b  c"),
        ("a\u2028b\u2029c", "a b c"),
        ("abc\u202edef\u2066", "abcdef"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("no-break\u00a0space", "no-break space"),
        ("NUL\x00 DEL\x7f BEL\x07", "NUL DEL BEL"),
        ("naïve 日本語 🎉 \ue0b0", "naïve 日本語 🎉 \ue0b0"),
        ("[bold]markup[/] is the screen's matter", "[bold]markup[/] is the screen's matter"),
    ],
)
def test_a_line_shows_what_a_person_should_see(raw: str, shown: str) -> None:
    assert clean(raw) == shown


def test_a_long_line_is_cut_with_a_mark() -> None:
    shown = clean("x" * 200_000)
    assert len(shown) == LINE_LIMIT
    assert shown.endswith(MARK)


def test_long_bytes_are_cut_with_a_mark_between_characters() -> None:
    assert clean_bytes("é".encode() * 100_000, 10) == "é" * 9 + MARK
    assert clean_bytes("🎉".encode() * 100_000, 10) == "🎉" * 9 + MARK


def test_broken_utf8_becomes_replacement_characters() -> None:
    assert clean_bytes(b"ok \xff\xfe \xc3") == "ok \ufffd\ufffd \ufffd"


def test_bytes_that_are_no_text_are_spelled_and_halves_of_characters_harm_nobody() -> None:
    name = b"caf\xe9-\xc3\xbc".decode("utf-8", "surrogateescape")
    assert spelled(name) == "caf\\xe9-ü"
    assert raw(name) == b"caf\xe9-\xc3\xbc"
    assert spelled("\ud800x") == "\ufffdx"
    assert raw("\ud800x") == b"?x"


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("careful \u26a0\ufe0f here", "careful \u26a0 here"),
        ("\u2764\ufe0f", "\u2764"),
        ("\u23f8\ufe0e", "\u23f8"),
        ("1\ufe0f\u20e3", "1\u20e3"),
        ("\U0001f44d\U0001f3fd", "\U0001f44d"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\U0001f4bb"),
        ("e\u0301 \u1100\u1161 \U0001f1e9\U0001f1ea", "e\u0301 \u1100\u1161 \U0001f1e9\U0001f1ea"),
    ],
)
def test_what_terminals_draw_at_two_widths_is_left_out(text: str, drawn: str) -> None:
    """The remaining widths are those that tmux 3.3a draws, measured by its cursor."""
    assert clean(text) == drawn


@given(HOSTILE)
def test_a_field_gets_lines_that_are_harmless_each(text: str) -> None:
    lines = clean_text(text).split("\n")
    parts = [part for line in lines for part in line.split("\t")]
    assert not any("\x1b" in part or "\x9d" in part for part in parts)


def test_a_field_gets_text_uncut_with_its_line_breaks_and_tabs() -> None:
    long = "x" * (LINE_LIMIT + 1)
    assert clean_text(f"a\tb\r\n\n{long}\n") == f"a\tb\n\n{long}\n"
    assert clean_text("a\x1b]52;c;ZXZpbA==\x07b\x90q\x9cc\u202ed") == "abcd"
