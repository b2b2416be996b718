"""Progress from output: only the program's own reports, and its last line."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.engine.attempt import Progress
from pex_tui.logs.progress import TAIL_BYTES, LogTail


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.log"


@pytest.mark.parametrize(
    ("written", "fraction"),
    [
        (b"no sign of it", None),
        (b"50% of the people", None),
        (b"\x1b]9;4;1;42\x07", 0.42),
        (b"\x1b]9;4;1;42\x1b\\ working", 0.42),
        (b"\x1b]9;4;1;42\x07\x1b]9;4;0\x07", None),
        (b"\x1b]9;4;1;420\x07", None),
        (b"tests/test_a.py ....  [ 45%]\n", 0.45),
        (b"tests/test_a.py ....  [100%]\r\n", 1.0),
        (b"\x1b[32mtests/test_a.py .\x1b[0m\x1b[32m [ 45%]\x1b[0m\n", 0.45),
        (b"[12/50] Building C object\n", 0.24),
        (b"\x1b[1m[12/50]\x1b[0m Building\n", 0.24),
        (b"[1/50] a\r[2/50] b\r[25/50] c", 0.5),
        (b"[60/50] nonsense\n", None),
        (b"[0/0] nothing\n", None),
        (b"see [12/50]\n", None),
        (b"[12/50] first\nthen [ 80%]\n", 0.8),
    ],
)
def test_a_fraction_is_what_the_program_says(
    log: Path, written: bytes, fraction: float | None
) -> None:
    log.write_bytes(written + b"\nlast")
    assert LogTail(log).look() == Progress(fraction, "last")


@pytest.mark.parametrize(
    ("written", "activity"),
    [
        (b"one\ntwo\n", "two"),
        (b"one\ntwo\n\n  \n\x1b[0m\n", "two"),
        (b"10%\r20%\r30%", "30%"),
        (b"\x1b[31mred\x1b[0m \x1b]52;c;x\x07alert", "red alert"),
        (b"binary \x00\xff\n", "binary \ufffd"),
        (b"x" * 300, "x" * 199 + "…"),
    ],
)
def test_the_activity_is_the_last_line_that_shows_anything(
    log: Path, written: bytes, activity: str
) -> None:
    log.write_bytes(written)
    assert LogTail(log).look() == Progress(None, activity)


def test_nothing_is_told_twice(log: Path) -> None:
    tail = LogTail(log)
    assert tail.look() is None
    log.write_bytes(b"one\n")
    assert tail.look() == Progress(None, "one")
    assert tail.look() is None
    log.write_bytes(b"one\none\n")
    assert tail.look() is None


def test_a_fraction_stays_known_when_its_line_has_scrolled_away(log: Path) -> None:
    tail = LogTail(log)
    log.write_bytes(b"[1/2] half\n")
    tail.look()
    with log.open("ab") as stream:
        stream.write(b"more and more\n" * TAIL_BYTES)
    assert tail.look() == Progress(0.5, "more and more")


def test_a_line_that_is_cut_at_the_front_is_no_sign(log: Path) -> None:
    with log.open("wb") as stream:
        stream.write(b"y" * 100 + b"[1/2]" + b"y" * (TAIL_BYTES - 10) + b"\nend\n")
    assert LogTail(log).look() == Progress(None, "end")


@given(st.binary(max_size=500))
def test_any_output_gives_a_harmless_progress(written: bytes) -> None:
    with NamedTemporaryFile() as log:
        log.write(written)
        log.flush()
        seen = LogTail(Path(log.name)).look()
    assert seen is None or seen.fraction is None or 0 <= seen.fraction <= 1
