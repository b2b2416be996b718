"""Reading logs for a screen: any size, any content, growing or missing."""

from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.core.sanitize import LINE_LIMIT, clean_bytes
from pex_tui.logs.indexed import LogReader


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.log"


def read(log: Path, *, start: int = 0, stop: int = 1_000_000) -> list[str]:
    reader = LogReader(log)
    while reader.refresh():
        pass
    return reader.lines(start, stop)


def test_a_log_that_does_not_exist_yet_has_no_lines(log: Path) -> None:
    reader = LogReader(log)
    assert not reader.refresh()
    assert reader.line_count == 0
    assert reader.lines(0, 10) == []


def test_a_growing_log_is_read_on_from_where_it_was(log: Path) -> None:
    reader = LogReader(log)
    log.write_bytes(b"one\ntwo\nth")
    assert reader.refresh()
    assert reader.lines(0, 10) == ["one", "two", "th"]
    assert not reader.refresh()
    with log.open("ab") as stream:
        stream.write(b"ree\nfour\n")
    assert reader.refresh()
    assert reader.line_count == 4
    assert reader.lines(2, 4) == ["three", "four"]


def test_a_log_written_anew_is_read_anew(log: Path) -> None:
    reader = LogReader(log)
    log.write_bytes(b"a long first version\nof two lines\n")
    reader.refresh()
    log.write_bytes(b"short\n")
    assert reader.refresh()
    assert reader.lines(0, 10) == ["short"]


def test_a_range_beyond_the_end_is_what_there_is_of_it(log: Path) -> None:
    log.write_bytes(b"a\nb\nc\n")
    assert read(log, start=-5, stop=2) == ["a", "b"]
    assert read(log, start=2, stop=99) == ["c"]
    assert read(log, start=7, stop=9) == []


def test_empty_lines_count(log: Path) -> None:
    log.write_bytes(b"\n\nx\n\n")
    assert read(log) == ["", "", "x", ""]


def test_a_line_drawn_over_itself_shows_what_stood_there_last(log: Path) -> None:
    log.write_bytes(b"10%\r50%\r100%\r\ndone\r\n")
    assert read(log) == ["100%", "done"]


def test_a_200_kb_line_is_cut_with_a_mark_that_says_its_size(log: Path) -> None:
    log.write_bytes(b"before\n" + b"x" * 200_000 + b"\nafter\n")
    before, cut, after = read(log)
    assert (before, after) == ("before", "after")
    assert cut.endswith("… [line of 200 KB, cut]")
    assert len(cut) == LINE_LIMIT


def test_a_100_mb_line_is_cut_without_being_read(log: Path) -> None:
    with log.open("wb") as stream:
        for _ in range(100):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\nafter\n")
    cut, after = read(log)
    assert cut.startswith("xxx")
    assert cut.endswith("… [line of 100 MB, cut]")
    assert after == "after"


def test_a_huge_progress_line_shows_its_end(log: Path) -> None:
    log.write_bytes(b"".join(b"%7d done\r" % number for number in range(200_000)))
    assert read(log) == [" 199999 done"]


def test_one_refresh_looks_at_a_bounded_part(log: Path) -> None:
    with log.open("wb") as stream:
        stream.truncate(40_000_000)
    reader = LogReader(log)
    assert [reader.refresh() for _ in range(4)] == [True, True, True, False]


@given(st.binary(max_size=2_000))
def test_any_bytes_split_into_cleaned_lines(content: bytes) -> None:
    content = content.replace(b"\r", b"")
    with NamedTemporaryFile() as log:
        log.write(content)
        log.flush()
        lines = content.split(b"\n")
        expected = lines[:-1] if not lines[-1] else lines
        assert read(Path(log.name)) == [clean_bytes(line) for line in expected]


def test_what_was_given_back_to_the_disk_is_one_line_that_says_so(log: Path) -> None:
    with log.open("wb") as writer:
        writer.write(b"first\ncut off he")
        writer.flush()
        writer.truncate(3 << 30)
        writer.seek(0, 2)
        writer.write(b"re\nlast\n")
    reader = LogReader(log)
    while reader.refresh():
        pass
    lines = reader.lines(0, 10)
    assert (lines[0], lines[-1]) == ("first", "last")
    assert sum("3.22 GB of this log are left out" in line for line in lines) == 1
    assert len(lines) <= 5
    assert reader.line_count == len(lines)


def test_a_log_of_endless_lines_costs_no_endless_memory(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.logs.indexed._MOST_LINES", 100)
    reader = LogReader(log)
    with log.open("w") as writer:
        for number in range(1000):
            writer.write(f"{number}\n")
            writer.flush()
            reader.refresh()
            assert reader.line_count <= 101
    lines = reader.lines(0, 1000)
    assert lines[0].endswith("of this log are left out]")
    assert lines[1:] == [str(number) for number in range(1000 - len(lines) + 1, 1000)]
