"""What is written to a pipe or a terminal that nobody reads holds up nobody, and is not lost."""

import fcntl
import os
import pty
import termios
import threading
import tty
from collections.abc import Iterator

import pytest

from pex_tui.outlet import LineOutlet, say
from pex_tui.tui.terminal.driver import ScreenOutlet
from tests.waiting import PATIENCE_SECONDS

LINE = "x" * 999


class Pipe:
    """A pipe; what is read of it is collected."""

    def __init__(self) -> None:
        self.ours, self.theirs = os.pipe()
        self.received = b""

    def read_all(self, count: int) -> bytes:
        while len(self.received) < count:
            self.received += os.read(self.ours, 1 << 16)
        return self.received


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    for descriptor in (made.ours, made.theirs):
        try:
            os.close(descriptor)
        except OSError:
            continue  # the test closed it


def test_lines_that_nobody_reads_yet_all_arrive_in_order(pipe: Pipe) -> None:
    outlet = LineOutlet(pipe.theirs)
    for number in range(5_000):  # five times what is kept in memory
        outlet.write(f"{number:06} {LINE}")
    assert not outlet.drain(0.0)

    lines = pipe.read_all(5_000 * 1007).decode().splitlines()

    assert [int(line[:6]) for line in lines] == list(range(5_000))
    assert outlet.drain(PATIENCE_SECONDS)


def test_lines_arrive_where_the_folder_for_spilled_ones_is_gone(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    outlet = LineOutlet(pipe.theirs)
    for number in range(2_000):
        outlet.write(f"{number:06} {LINE}")
    lines = pipe.read_all(2_000 * 1007).decode().splitlines()
    assert [int(line[:6]) for line in lines] == list(range(2_000))


def test_an_empty_frame_ends_nothing() -> None:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    outlet = ScreenOutlet(theirs, lambda: None, lambda: None)
    for frame in ("one", "", "two"):
        outlet.write(frame)
        assert outlet.drain(PATIENCE_SECONDS)
    assert os.read(ours, 100) == b"onetwo"
    outlet.close()
    os.close(ours)
    os.close(theirs)


def test_a_reader_that_has_left_is_reported_once_and_gets_no_more(pipe: Pipe) -> None:
    gone = threading.Event()
    outlet = LineOutlet(pipe.theirs, gone.set)
    os.close(pipe.ours)
    outlet.write("a")
    assert gone.wait(PATIENCE_SECONDS)
    outlet.write("b")
    assert outlet.drain(0.0)


def test_a_pipe_that_somebody_made_non_blocking_gets_everything(pipe: Pipe) -> None:
    flags = fcntl.fcntl(pipe.theirs, fcntl.F_GETFL)
    fcntl.fcntl(pipe.theirs, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    outlet = LineOutlet(pipe.theirs)
    for _ in range(300):
        outlet.write(LINE)
    assert len(pipe.read_all(300_000)) >= 300_000


def test_last_words_do_not_wait_for_a_reader_that_stands_still(pipe: Pipe) -> None:
    LineOutlet(pipe.theirs).write(LINE * 100)
    say("goodbye", pipe.theirs, 0.01)


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, theirs
    os.close(ours)  # the other end stays: a thread may still write, and its number would be reused


def test_frames_are_dropped_while_nobody_looks_and_a_whole_one_is_asked_for_after_that(
    terminal: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.tui.terminal.driver._BEHIND_SECONDS", 0.0)
    ours, theirs = terminal
    caught_up = threading.Event()
    outlet = ScreenOutlet(theirs, lambda: None, caught_up.set)
    outlet.write("first" * 100_000)
    for _ in range(100):
        outlet.write("dropped")
    outlet.write("kept", insists=True)
    assert not caught_up.is_set()

    seen = b""
    while not seen.endswith(b"kept"):
        seen += os.read(ours, 1 << 16)

    assert seen.count(b"first") == 100_000
    assert b"dropped" not in seen
    assert caught_up.wait(PATIENCE_SECONDS)
    outlet.write("newest")
    assert os.read(ours, 100) == b"newest"


def test_a_frozen_terminal_is_in_order_once_it_thaws(terminal: tuple[int, int]) -> None:
    ours, theirs = terminal
    outlet = ScreenOutlet(theirs, lambda: None, lambda: None)
    outlet.write("frame" * 100_000)
    outlet.write("\x1b[?1049l", insists=True)
    assert not outlet.drain(0.1)

    outlet.drop_frames()
    termios.tcflush(theirs, termios.TCOFLUSH)

    assert outlet.drain(PATIENCE_SECONDS)  # with nobody who reads
    seen = b""
    while not seen.endswith(b"\x18\x1b\\\x1b[?1049l"):
        seen += os.read(ours, 1 << 16)
    assert len(seen) < 100_000
