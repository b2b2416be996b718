"""What a command that fails says, and its exit code."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pex_tui.cli import main


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/s/x"), 2, "No space left on device"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/s/x"), 2, "Read-only file system"),
        (OSError(errno.EMFILE, os.strerror(errno.EMFILE)), 2, "Too many open files"),
        (BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)), 1, ""),
        (OSError(errno.EIO, os.strerror(errno.EIO)), 1, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_what_the_machine_lacks_is_one_line_and_no_crash(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    words: str,
) -> None:
    def run(_: list[str]) -> int:
        raise error

    monkeypatch.setattr(main, "_run", run)
    assert main.main(["runs"]) == code
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == (1 if words else 0)


@pytest.mark.parametrize(
    ("ending", "code"),
    [("return 7", 7), ("raise SystemExit(2)", 2), ("raise KeyboardInterrupt", 130)],
)
def test_streams_that_take_nothing_change_no_exit_code(ending: str, code: int) -> None:
    script = (
        "import sys\nfrom pex_tui.cli import main as cli\n"
        f"def main():\n    sys.stdout.write('lost')\n    {ending}\n"
        "cli.main = main\ncli.program()"
    )
    with Path("/dev/full").open("w") as full:
        argv = [sys.executable, "-E", "-c", script]  # -E: streams have a buffer, whatever is set
        ended = subprocess.run(argv, stdout=full, stderr=full, check=False)

    assert ended.returncode == code
