"""What a command that fails says, and its exit code."""

import errno
import os
import signal
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


PROGRAM = "import os, sys\nfrom pex_tui import __main__ as program\nfrom pex_tui.cli import main\n"
# -E: streams have a buffer, whatever is set
PYTHON = (sys.executable, "-E", "-c")


@pytest.mark.parametrize(
    ("ending", "code"),
    [
        ("return 7", 7),
        ("return 0", 2),
        ("raise SystemExit(2)", 2),
        ("raise KeyboardInterrupt", 130),
    ],
)
def test_a_disk_that_takes_no_output_fails_only_a_command_that_succeeded(
    ending: str, code: int
) -> None:
    run = f"def run(_):\n    sys.stdout.write('lost')\n    {ending}\n"
    script = f"{PROGRAM}{run}main._run = run\nprogram.program()"
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [*PYTHON, script], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )

    assert ended.returncode == code
    assert ("No space left on device" in ended.stderr) == (ending == "return 0")


@pytest.mark.parametrize("code", [0, 7])
def test_a_terminal_that_is_gone_at_the_end_changes_no_exit_code(code: int) -> None:
    run = f"def run(_):\n    sys.stdout.write('lost')\n    return {code}\n"
    script = f"{PROGRAM}{run}main._run = run\nprogram.program()"
    terminal, theirs = os.openpty()
    os.close(terminal)
    ended = subprocess.run([*PYTHON, script], stdout=theirs, stderr=theirs, check=False)
    os.close(theirs)

    assert ended.returncode == code


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_the_caller_closed_is_the_null_device(closed: str, tmp_path: Path) -> None:
    run = (
        "def run(_):\n    print('out'), print('err', file=sys.stderr)\n"
        "    os.system('echo child; echo child >&2')\n    return os.open(os.devnull, os.O_RDONLY)\n"
    )
    script = f"{PROGRAM}{run}main._run = run\nprogram.program()"
    shell = f'exec "$@" {closed}'
    with (tmp_path / "said").open("w") as said:
        ended = subprocess.run(
            ["sh", "-c", shell, "sh", *PYTHON, script], stdout=said, stderr=said, check=False
        )

    assert ended.returncode > 2  # files get no stream's descriptor
    words = {word for word, end in (("out", ">&-"), ("err", "2>&-")) if end not in closed.split()}
    assert set((tmp_path / "said").read_text().split()) == {*words, *(["child"] if words else [])}


def test_ctrl_c_while_the_program_is_loaded_prints_nothing() -> None:
    script = (
        "import os, signal, sys, types\nfrom pex_tui import __main__ as program\n"
        "class Loading:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'pex_tui.cli.main':\n"
        "            os.kill(os.getpid(), signal.SIGINT)\n"
        "sys.meta_path.insert(0, Loading())\nprogram.program()"
    )
    ended = subprocess.run([*PYTHON, script], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")
