import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.planning.fields.quantities import (
    LARGEST_BYTES,
    format_duration,
    format_percent,
    format_size,
    parse_duration,
    parse_percent,
    parse_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("3m", 180),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("500ms", 0.5),
        ("1.5h", 5400),
        ("2d", 172_800),
        ("45", 45),
    ],
)
def test_durations_read_as_people_write_them(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "3x", "m", "1:30", "-3s", "3 m m", "400d", "9" * 400, "٣s"])
def test_what_is_no_duration_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"Write .*(duration|90s)"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [("512MB", 512 * 1024**2), ("2GB", 2 * 1024**3), ("1.5 GiB", 3 * 1024**3 // 2), ("10k", 10240)],
)
def test_sizes_read_as_people_write_them(text: str, count: int) -> None:
    assert parse_size(text) == count


@pytest.mark.parametrize("text", ["", "512", "MB", "-1MB", "0MB", "5000TB", "1 PB"])
def test_what_is_no_size_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="Write"):
        parse_size(text)


def test_percentages_are_fractions() -> None:
    assert (parse_percent("20%"), parse_percent("150 %")) == (0.2, 1.5)


@pytest.mark.parametrize("text", ["", "20", "x%", "-1%"])
def test_what_is_no_percentage_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid percentage"):
        parse_percent(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(90.0, "1m30s"), (180.0, "3m"), (5400.0, "1h30m"), (0.02, "0.02s")]
)
def test_durations_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.floats(min_value=0.0001, max_value=86_400 * 300))
def test_a_duration_reads_back_exactly(seconds: float) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(min_value=1, max_value=LARGEST_BYTES))
def test_a_size_reads_back_exactly(count: int) -> None:
    assert parse_size(format_size(count)) == count


@given(st.floats(min_value=0.0001, max_value=1000))
def test_a_percentage_reads_back_exactly(fraction: float) -> None:
    assert parse_percent(format_percent(fraction)) == fraction
