"""Output to an unread pipe or terminal blocks nothing, and is not lost."""

import fcntl
import os
import pty
import termios
import threading
import tty
from collections.abc import Callable, Iterator

import pytest

from pex_tui.outlet import LineOutlet, Outlet, say
from pex_tui.tui.terminal.driver import ScreenOutlet
from tests.waiting import PATIENCE_SECONDS

LINE = "x" * 999


class Reader:
    """Two ends of a pipe or a terminal, and the outlets that write to it."""

    def __init__(self, ours: int, theirs: int) -> None:
        self.ours, self.theirs = ours, theirs
        self._is_here = True
        self._outlets: list[Outlet] = []
        self._threads = set(threading.enumerate())

    def lines(self, lost: Callable[[], None] = lambda: None) -> LineOutlet:
        outlet = LineOutlet(self.theirs, lost)
        self._outlets.append(outlet)
        return outlet

    def screen(self, caught_up: Callable[[], None] = lambda: None) -> ScreenOutlet:
        outlet = ScreenOutlet(self.theirs, lambda: None, caught_up)
        self._outlets.append(outlet)
        return outlet

    def read_until(self, is_all: Callable[[bytes], bool]) -> bytes:
        received = b""
        while not is_all(received):
            received += os.read(self.ours, 1 << 16)
        return received

    def leave(self) -> None:
        if self._is_here:
            os.close(self.ours)
        self._is_here = False

    def close(self) -> None:
        """End the threads before the number they write to is reused for another descriptor."""
        self.leave()  # a write that waits for the reader fails
        for outlet in self._outlets:
            outlet.close()
        for thread in set(threading.enumerate()) - self._threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        os.close(self.theirs)


@pytest.fixture
def pipe() -> Iterator[Reader]:
    made = Reader(*os.pipe())
    yield made
    made.close()


@pytest.fixture
def terminal() -> Iterator[Reader]:
    made = Reader(*pty.openpty())
    tty.setraw(made.theirs)
    yield made
    made.close()


def read_lines(pipe: Reader, count: int) -> list[int]:
    received = pipe.read_until(lambda so_far: len(so_far) >= count * 1007)
    return [int(line[:6]) for line in received.decode().splitlines()]


def test_lines_that_nobody_reads_yet_all_arrive_in_order(pipe: Reader) -> None:
    outlet = pipe.lines()
    for number in range(5_000):  # five times what is kept in memory
        outlet.write(f"{number:06} {LINE}")
    assert not outlet.drain(0.0)

    assert read_lines(pipe, 5_000) == list(range(5_000))
    assert outlet.drain(PATIENCE_SECONDS)


def test_lines_arrive_where_the_folder_for_spilled_ones_is_gone(
    pipe: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    outlet = pipe.lines()
    for number in range(2_000):
        outlet.write(f"{number:06} {LINE}")
    assert read_lines(pipe, 2_000) == list(range(2_000))


def test_an_empty_frame_ends_nothing(terminal: Reader) -> None:
    outlet = terminal.screen()
    for frame in ("one", "", "two"):
        outlet.write(frame)
        assert outlet.drain(PATIENCE_SECONDS)
    assert terminal.read_until(lambda so_far: len(so_far) >= len("onetwo")) == b"onetwo"


def test_a_reader_that_has_left_is_reported_once_and_gets_no_more(pipe: Reader) -> None:
    gone = threading.Event()
    outlet = pipe.lines(gone.set)
    pipe.leave()
    outlet.write("a")
    assert gone.wait(PATIENCE_SECONDS)
    outlet.write("b")
    assert outlet.drain(0.0)


def test_a_pipe_that_somebody_made_non_blocking_gets_everything(pipe: Reader) -> None:
    flags = fcntl.fcntl(pipe.theirs, fcntl.F_GETFL)
    fcntl.fcntl(pipe.theirs, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    outlet = pipe.lines()
    for _ in range(300):
        outlet.write(LINE)
    assert pipe.read_until(lambda so_far: len(so_far) >= 300_000).count(b"\n") == 300


def test_last_words_do_not_wait_for_a_reader_that_stands_still(pipe: Reader) -> None:
    pipe.lines().write(LINE * 100)
    say("goodbye", pipe.theirs, 0.01)


def test_frames_are_dropped_while_nobody_looks_and_a_whole_one_is_asked_for_after_that(
    terminal: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.tui.terminal.driver._BEHIND_SECONDS", 0.0)
    caught_up = threading.Event()
    outlet = terminal.screen(caught_up.set)
    outlet.write("first" * 100_000)
    for _ in range(100):
        outlet.write("dropped")
    outlet.write("kept", insists=True)
    assert not caught_up.is_set()

    seen = terminal.read_until(lambda so_far: so_far.endswith(b"kept"))

    assert seen.count(b"first") == 100_000
    assert b"dropped" not in seen
    assert caught_up.wait(PATIENCE_SECONDS)
    outlet.write("newest")
    assert terminal.read_until(lambda so_far: len(so_far) >= len("newest")) == b"newest"


def test_a_frozen_terminal_is_in_order_once_it_thaws(terminal: Reader) -> None:
    outlet = terminal.screen()
    outlet.write("frame" * 100_000)
    outlet.write("\x1b[?1049l", insists=True)
    assert not outlet.drain(0.0)

    outlet.drop_frames()
    termios.tcflush(terminal.theirs, termios.TCOFLUSH)

    assert outlet.drain(PATIENCE_SECONDS)  # without a reader
    restored = b"\x18\x1b\\\x1b[?1049l"
    assert len(terminal.read_until(lambda so_far: so_far.endswith(restored))) < 100_000
