"""Journals that are truncated, corrupt, foreign, newer or damaged in a row, met by each command."""

import json
import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Shell, shell

__all__ = ["shell"]

pytestmark = pytest.mark.faults
PLAN = "version: 1\ntasks:\n  - {id: a, command: 'echo a > a.txt', writes: [a.txt]}\n"
COMMANDS = ("runs", "report r1", "resume r1 --headless", "land r1")
"""Commands that read the journal; the last works with refs alone."""


def half(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[: journal.stat().st_size // 2])


def flipped(journal: Path) -> None:
    dice = random.Random(5)  # noqa: S311  # which bytes, no secret
    content = bytearray(journal.read_bytes())
    for _ in range(200):
        content[dice.randrange(100, len(content))] ^= 0xFF
    journal.write_bytes(content)


def text(journal: Path) -> None:
    journal.write_text("This is not a journal.\n" * 100)


def folder(journal: Path) -> None:
    journal.unlink()
    journal.mkdir()


def foreign(journal: Path) -> None:
    journal.unlink()
    with closing(sqlite3.connect(journal)) as connection:
        connection.executescript("CREATE TABLE events (what TEXT); PRAGMA user_version = 1")


def newer(journal: Path) -> None:
    with closing(sqlite3.connect(journal)) as connection:
        connection.execute("PRAGMA user_version = 99")


def rows(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    """Rewrite the last row but one."""

    def harm(journal: Path) -> None:
        with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
            seq, body = connection.execute(
                "SELECT seq, body FROM events ORDER BY seq DESC LIMIT 1 OFFSET 1"
            ).fetchone()
            made = change(json.loads(body))
            written = made if isinstance(made, str) else json.dumps(made)
            connection.execute("UPDATE events SET body = ? WHERE seq = ?", (written, seq))

    return harm


def gap(journal: Path) -> None:
    with closing(sqlite3.connect(journal, isolation_level=None)) as connection:
        connection.execute("DELETE FROM events WHERE seq IN (3, 4)")


HARMS: dict[str, tuple[Callable[[Path], None], str]] = {
    "half": (half, "was broken and is now journal.db.corrupt-1"),
    "flipped": (flipped, "was broken and is now journal.db.corrupt-1"),
    "text": (text, "was broken and is now journal.db.corrupt-1"),
    "folder": (folder, "can't be opened"),
    "foreign": (foreign, "was broken and is now journal.db.corrupt-1"),
    "newer": (newer, "was written by a newer pex-tui"),
    "row that is no JSON": (rows(lambda _: "{oops"), "damaged row"),
    "row of a newer event": (rows(lambda row: row | {"event": "x_made"}), "another version"),
    "row of other types": (rows(lambda row: row | {"task": 7, "at": "noon"}), "another version"),
    "gap": (gap, ""),
}


@pytest.mark.parametrize("name", HARMS)
def test_no_command_ends_with_an_exception_and_refs_are_as_they_were(
    shell: Shell, name: str
) -> None:
    harm, words = HARMS[name]
    shell.write("plan.yaml", PLAN)
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "r1").returncode == 0
    refs = shell.git("for-each-ref", "refs/pex", "refs/heads/pex")
    (journal,) = (shell.top.parent / "state").rglob("journal.db")
    harm(journal)
    said = ""
    for command in COMMANDS:
        ended = shell.pex(*command.split())
        said += ended.stderr + ended.stdout
        assert ended.returncode in {0, 1, 2}, (command, ended.returncode, ended.stderr)
        assert "Traceback" not in ended.stderr, (command, ended.stderr)
        assert shell.git("for-each-ref", "refs/pex", "refs/heads/pex") == refs, command
    assert words in said, said


def test_a_name_whose_start_a_power_cut_undid_can_be_used_again(shell: Shell) -> None:
    shell.write("plan.yaml", PLAN)
    run = ("run", "plan.yaml", "--headless", "--name")
    assert shell.pex(*run, "r1").returncode == 0
    (folder,) = (shell.top.parent / "state").rglob("runs/r1")
    never_begun = folder.with_name("r2")
    shutil.copytree(folder / ".settings", never_begun / ".settings", symlinks=True)
    (never_begun / ".settings" / "config").write_text("[user\n")
    (never_begun / "clock.json").write_text("{}")

    assert "r2" not in shell.pex("runs").stdout
    ended = shell.pex(*run, "r2")

    assert ended.returncode == 0, ended.stderr
