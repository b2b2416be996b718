"""Foreign text has no effect on the terminal, asserted on the bytes that it receives."""

import json
import re
import sys
from pathlib import Path

from tests.e2e.conftest import Shell
from tests.e2e.terminal import Terminal

OSC, DCS, C1 = "\x1b]0;pwned\x07", "\x1bP1;pwned\x1b\\", "\x9b31m\x9d0;pwned\x9c"
BIDI = "\u202egnp.exe\u2066\u200f"
MARKUP = "[bold red]loud[/] [/nothing] [@click=app.quit]x[/]"
EVIL = f"a{OSC}b{DCS}c{C1}d{BIDI}e{MARKUP}f\x08\x07\r"
EVIL_NAME = f"evil\x1b]0;pwned\x07{BIDI}[bold]x[.txt"  # a path may hold all but NUL and slash

PRINTER = f"import sys; sys.stdout.write({EVIL!r} * 3 + '\\n' + 'shown at last\\n')"
WRITER = f"""
import pathlib, sys, time
word, begun, wanted = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
pathlib.Path({EVIL_NAME!r}).write_text(word + {EVIL!r} + '\\n')
begun.touch()
while not wanted.exists():
    time.sleep(0.02)
"""
_POINTER = re.compile(rb"\x1b\]22;[a-z]*\x07")  # Textual's own: the shape of the mouse pointer
_STRINGS = re.compile(rb"\x1b[\]PX^_]")  # starts an operating system command and the like
_CONTROLS = re.compile(rb"[\x00-\x06\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\xc2[\x80-\x9f]")
_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def plan(signs: Path) -> str:
    """Two tasks that conflict over a file with a malicious name, and one that prints.

    Each of the two waits for a sign: the first for the second's start, the second for the first's
    landing.
    """
    python = sys.executable
    first, second, landed = (str(signs / name) for name in ("first", "second", "landed"))
    return json.dumps(
        {
            "version": 1,
            "goal": f"Goal {EVIL}",
            "tasks": [
                {"id": "printer", "command": [python, "-c", PRINTER], "writes": []},
                {
                    "id": "first",
                    "prompt": EVIL,
                    "command": [python, "-c", WRITER, "one", first, second],
                    "commit": f"subject {EVIL}",
                },
                {"id": "second", "command": [python, "-c", WRITER, "two", second, landed]},
                {"id": "sign", "command": ["touch", landed], "needs": ["first"], "writes": []},
            ],
        }
    )


def assert_harmless(sent: bytes) -> None:
    """Assert that no string, control or direction of its own reached the terminal."""
    raw = _POINTER.sub(b"", sent)
    assert [raw[m.start() : m.start() + 40] for m in _STRINGS.finditer(raw)] == []
    assert not _CONTROLS.findall(raw)
    assert not _BIDI.findall(raw.decode("utf-8"))


def test_nothing_from_outside_controls_the_terminal(shell: Shell, tmp_path: Path) -> None:
    shell.git("switch", "-q", "-c", f"branch-{BIDI}")  # git allows no control character or bracket
    signs = tmp_path / "signs"
    signs.mkdir()
    shell.write("plan.json", plan(signs))
    settings = (
        "conflict_resolution.auto_resolve=false",
        "conflict_resolution.fallback_mode=prompt",
        "monitoring.notify=off",
    )
    options = [part for setting in settings for part in ("--set", setting)]
    with Terminal(("run", "plan.json", *options), shell.top, shell.env, 120, 36) as terminal:
        terminal.until("Approve & run", "printer")
        terminal.press("!")
        terminal.until("esc closes")
        terminal.press("\x1b")
        terminal.until("Approve & run", absent="esc closes")
        terminal.press("\r")
        terminal.until("shown at last", "is in conflict")
        for tab in ("4", "3", "2", "1"):
            terminal.press(tab)
        terminal.press("j", "4")
        terminal.until("workspace")
        terminal.press("c")
        terminal.until("OURS second", "choose o / t / B")
        terminal.press("o", "\r")
        terminal.until("4/4 tasks ended", " done ", absent="is in conflict")
        terminal.press("\x1b[15~")  # F5
        terminal.until("history", "Timeline")
        terminal.press("q")
        terminal.ended()

    assert_harmless(terminal.raw)
