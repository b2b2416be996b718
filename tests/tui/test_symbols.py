"""Symbols keep columns straight and ASCII stays ASCII."""

import pytest
from rich.cells import cell_len

from pex_tui.core.views.status import Status
from pex_tui.tui.symbols import SymbolName, choose


@pytest.mark.parametrize("name", SymbolName)
def test_every_status_of_a_set_is_as_wide_as_the_set(name: SymbolName) -> None:
    symbols = choose(name, "UTF-8")
    assert {cell_len(symbols.padded(mark)) for mark in (*Status, None)} == {symbols.width}


@pytest.mark.parametrize("name", SymbolName)
def test_no_two_marks_look_alike(name: SymbolName) -> None:
    symbols = choose(name, "UTF-8")
    assert len({symbols.padded(status) for status in Status}) == len(Status)


@pytest.mark.parametrize("encoding", ["ANSI_X3.4-1968", "ISO-8859-1"])
def test_a_locale_without_utf8_gets_ascii(encoding: str) -> None:
    symbols = choose("emoji", encoding)
    assert symbols.name is SymbolName.ASCII
    drawn = [
        *symbols.by_status.values(),
        symbols.full,
        symbols.empty,
        symbols.unknown,
        symbols.block,
        symbols.spark,
        symbols.text("Waits for docs ✓, größer … – ·"),
    ]
    assert all(text.isascii() for text in drawn)


def test_without_colour_filled_and_empty_bars_differ() -> None:
    for name in SymbolName:
        symbols = choose(name, "utf8").without_colour()
        assert symbols.full != symbols.empty
