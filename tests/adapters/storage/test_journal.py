import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.storage.journal_file import JournalError
from pex_tui.core.events.event_codec import VERSION
from pex_tui.core.events.landing_events import BranchMoved
from pex_tui.core.events.run_events import (
    AgentProgressed,
    Event,
    Noticed,
    RunAdopted,
    RunFinished,
    RunLanded,
    RunPlanned,
)
from pex_tui.core.model.ids import CommitId, RunId, TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.semantics import NEWEST, Semantics
from pex_tui.core.model.state import Outcome
from pex_tui.engine.ports import JournalFull
from tests.core.world import task
from tests.waiting import until

RUN = RunId("7f3a")
A = TaskId("a")
PLANNED = RunPlanned(
    RUN, Plan((task("a"),), goal="try"), RunRules(), CommitId("b"), "pex/7f3a", None, 1, at=10.0
)
WRITER = """
import asyncio, sys
from pathlib import Path
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.events.run_events import Noticed
from pex_tui.core.model.ids import RunId

async def write():
    journal = SqliteJournal(Path(sys.argv[1]))
    seq = len(journal.read(RunId("7f3a")))
    while True:
        seq += 1
        await journal.append(RunId("7f3a"), [(seq, Noticed(str(seq), at=1.0))])
        print(seq, flush=True)

asyncio.run(write())
"""
FILL_THE_DISK = """
import asyncio, os, sys
from pathlib import Path
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.events.run_events import Noticed
from pex_tui.core.model.ids import RunId
from pex_tui.engine.ports import JournalFull

RUN, folder = RunId("7f3a"), Path(sys.argv[1])

async def main():
    journal = SqliteJournal(folder / "journal.db")
    assert (folder / "ballast").exists()
    await journal.append(RUN, [(1, Noticed("first", at=1.0))])
    with (folder / "hog").open("wb", buffering=0) as hog:
        try:
            while True:
                hog.write(bytes(4096))
        except OSError:
            pass
    seq = 1
    try:
        while True:
            await journal.append(RUN, [(seq + 1, Noticed("x" * 10_000, at=1.0))])
            seq += 1
    except JournalFull as error:
        print(seq, (folder / "ballast").exists(), error)
    assert len(journal.read(RUN)) == seq
    os.truncate(folder / "hog", 0)
    await journal.append(RUN, [(seq + 1, Noticed("last", at=1.0))])
    await journal.close()
    again = SqliteJournal(folder / "journal.db")
    print(len(again.read(RUN)), again.read(RUN)[-1].text, (folder / "ballast").exists())
    again.close_now()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@pytest.fixture
async def journal(path: Path) -> AsyncIterator[SqliteJournal]:
    opened = SqliteJournal(path)
    yield opened
    await opened.close()


async def write(journal: SqliteJournal, *events: Event) -> None:
    first = len(journal.read(RUN)) + 1
    await journal.append(RUN, list(enumerate(events, start=first)))


async def test_what_was_appended_is_read_back_in_order(journal: SqliteJournal) -> None:
    await write(journal, PLANNED, Noticed("hello", at=11.0))

    assert journal.read(RUN) == [PLANNED, Noticed("hello", at=11.0)]


async def test_another_process_sees_a_transition_once_append_has_returned(
    journal: SqliteJournal, path: Path
) -> None:
    await write(journal, PLANNED)

    reader = SqliteJournal(path)
    assert reader.read(RUN) == [PLANNED]
    reader.close_now()


async def test_telemetry_goes_with_the_next_transition(journal: SqliteJournal) -> None:
    progress = AgentProgressed(A, 1, 0.5, "half", at=11.0)
    await journal.append(RUN, [(1, PLANNED)])
    await journal.append(RUN, [(2, progress)])
    assert journal.read(RUN) == [PLANNED]

    await journal.append(RUN, [(3, Noticed("x", at=12.0))])

    assert journal.read(RUN) == [PLANNED, progress, Noticed("x", at=12.0)]


async def test_telemetry_alone_is_written_before_long(
    journal: SqliteJournal, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pex_tui.adapters.storage.journal._TELEMETRY_SECONDS", 0.01)
    await journal.append(RUN, [(1, AgentProgressed(A, 1, 0.5, "half", at=11.0))])
    reader = SqliteJournal(path)

    await until(lambda: reader.read(RUN))

    reader.close_now()


async def test_telemetry_is_kept_when_the_journal_closes(path: Path) -> None:
    journal = SqliteJournal(path)
    await journal.append(RUN, [(1, AgentProgressed(A, 1, None, "busy", at=11.0))])
    await journal.close()

    again = SqliteJournal(path)
    assert len(again.read(RUN)) == 1
    again.close_now()


async def test_runs_are_listed_with_how_they_ended(journal: SqliteJournal) -> None:
    await write(
        journal,
        PLANNED,
        BranchMoved(A, 1, CommitId("c"), at=20.0),
        RunFinished(Outcome.OK, 0, at=21.0),
    )

    (row,) = journal.runs()
    assert (row.run, row.goal, row.tasks, row.landed) == (RUN, "try", 1, 1)
    assert (row.created_at, row.last_at, row.outcome) == (10.0, 21.0, Outcome.OK)

    await write(journal, RunAdopted(1, "you", at=30.0))
    assert journal.runs()[0].outcome is None


async def test_a_run_that_lands_later_took_no_longer(journal: SqliteJournal) -> None:
    work = BranchMoved(A, 1, CommitId("c"), at=20.0)
    await write(journal, PLANNED, work, RunFinished(Outcome.OK, 0, at=20.5))
    landed = RunLanded("main", CommitId("c"), at=900.0)
    await write(journal, RunAdopted(1, "you", at=900.0), landed, RunFinished(Outcome.OK, 0, at=901))

    (row,) = journal.runs()
    assert (row.last_at, row.worked_until) == (901.0, 20.0)


async def test_a_forgotten_run_is_gone(journal: SqliteJournal) -> None:
    await write(journal, PLANNED)

    journal.forget(RUN)

    assert journal.read(RUN) == []
    assert journal.runs() == []


def overwrite(at: int, length: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
            file.write(b"\xa5" * length)

    return damage


def cut_in_half(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def drop_a_table(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DROP TABLE events")
    connection.close()


@pytest.mark.parametrize(
    "damage",
    [
        overwrite(0, 100),
        overwrite(20_000, 8_192),
        overwrite(-4_096, 4_096),
        cut_in_half,
        drop_a_table,
    ],
)
async def test_a_broken_journal_is_moved_aside_and_said(
    path: Path, damage: Callable[[Path], None]
) -> None:
    journal = SqliteJournal(path)
    rows = [(seq, Noticed("x" * 200, at=1.0)) for seq in range(2, 500)]
    await journal.append(RUN, [(1, PLANNED), *rows])
    await journal.close()
    damage(path)
    broken = path.read_bytes()

    journal = SqliteJournal(path)

    assert "journal.db.corrupt-1" in journal.notice
    assert path.with_name("journal.db.corrupt-1").read_bytes() == broken
    assert journal.runs() == []
    await journal.append(RUN, [(1, PLANNED)])
    assert journal.read(RUN) == [PLANNED]
    await journal.close()


async def test_a_broken_journal_is_said_until_a_run_is_in_the_new_one(path: Path) -> None:
    path.write_bytes(b"this was never a database" * 100)
    SqliteJournal(path).close_now()

    journal = SqliteJournal(path)
    assert "journal.db.corrupt-1" in journal.notice
    await write(journal, PLANNED)
    await journal.close()

    journal = SqliteJournal(path)
    assert journal.notice == ""
    await journal.close()


async def test_a_second_broken_journal_does_not_replace_the_first(path: Path) -> None:
    for number in (1, 2):
        path.write_bytes(b"this was never a database" * 100)
        journal = SqliteJournal(path)
        assert f"journal.db.corrupt-{number}" in journal.notice
        await journal.close()

    assert path.with_name("journal.db.corrupt-1").exists()


def change(path: Path, body: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"UPDATE events SET body = {body}")  # noqa: S608  # the tests' own
    connection.commit()
    connection.close()


async def test_a_damaged_row_is_told_in_words(journal: SqliteJournal, path: Path) -> None:
    await write(journal, PLANNED)
    change(path, "'{oops'")

    with pytest.raises(JournalError, match="7f3a has a damaged row"):
        journal.read(RUN)


async def test_a_row_of_an_unknown_kind_is_told_in_words(
    journal: SqliteJournal, path: Path
) -> None:
    await write(journal, PLANNED)
    change(path, "json_set(body, '$.event', 'danced')")

    with pytest.raises(JournalError, match="another version of pex-tui: there is no event"):
        journal.read(RUN)


async def test_a_rows_version_reaches_the_upcasters(journal: SqliteJournal, path: Path) -> None:
    await write(journal, PLANNED)
    assert journal.state(RUN).semantics == NEWEST

    change(path, "json_remove(body, '$.version', '$.semantics')")  # as version 1 wrote it
    assert journal.state(RUN).semantics == Semantics.LADDER
    change(path, f"json_set(body, '$.version', {VERSION + 1})")
    with pytest.raises(JournalError, match=f"another version .*it has version {VERSION + 1}"):
        journal.read(RUN)


async def test_what_can_not_be_replayed_is_refused_for_that_run_alone(
    journal: SqliteJournal, path: Path
) -> None:
    await write(journal, PLANNED, BranchMoved(A, 1, CommitId("c"), at=12.0))

    with pytest.raises(JournalError, match="Run 7f3a was recorded by another version") as refused:
        journal.state(RUN)
    assert "`pex-tui land 7f3a`" in str(refused.value)
    assert journal.planned(RUN) == (PLANNED, 2)  # landing needs no more

    await journal.append(RUN, [(3, RunFinished(Outcome.OK, 0, at=13.0))])
    change(path, "'{oops' WHERE kind = 'branch_moved'")
    change(path, "json_set(body, '$.outcome', 'splendid') WHERE kind = 'run_finished'")
    (row,) = journal.runs()
    assert (row.landed, row.outcome) == (0, Outcome.FAILED)


async def test_a_number_that_is_taken_is_refused_and_nothing_is_stored(
    journal: SqliteJournal,
) -> None:
    await journal.append(RUN, [(1, PLANNED)])

    with pytest.raises(JournalError, match="can't be written"):
        await journal.append(RUN, [(2, Noticed("new", at=2.0)), (1, Noticed("again", at=2.0))])

    assert journal.read(RUN) == [PLANNED]


def test_a_newer_journal_is_refused_in_words(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()

    with pytest.raises(JournalError, match="newer pex-tui"):
        SqliteJournal(path)


def test_a_folder_that_is_not_there_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="can't be opened"):
        SqliteJournal(tmp_path / "missing" / "journal.db")


def test_no_acknowledged_row_is_lost_when_the_writer_is_killed(path: Path) -> None:
    acknowledged = 0
    for round_number in range(1, 11):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged >= round_number * 10:
                break
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged = max([acknowledged, *map(int, writer.stdout)])
        writer.wait()
        writer.stdout.close()

        journal = SqliteJournal(path)
        rows = journal.read(RUN)
        journal.close_now()
        assert len(rows) >= acknowledged
        assert [row.text for row in rows if isinstance(row, Noticed)] == [
            str(number) for number in range(1, len(rows) + 1)
        ]


async def test_appends_from_many_tasks_all_arrive(journal: SqliteJournal) -> None:
    await asyncio.gather(
        *(journal.append(RUN, [(seq, Noticed(str(seq), at=1.0))]) for seq in range(1, 50))
    )

    assert len(journal.read(RUN)) == 49


async def test_a_full_disk_gives_the_events_back_and_keeps_what_was_waiting(
    journal: SqliteJournal,
) -> None:
    progress = AgentProgressed(A, 1, 0.5, "half", at=11.0)
    await write(journal, PLANNED)
    await journal.append(RUN, [(2, progress)])
    pages = journal._connection.execute("PRAGMA page_count").fetchone()[0]
    journal._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = Noticed("x" * 100_000, at=12.0)

    with pytest.raises(JournalFull, match="no room for the journal"):
        await journal.append(RUN, [(3, large)])
    assert journal.read(RUN) == [PLANNED]

    journal._connection.execute(f"PRAGMA max_page_count = {pages + 1_000}")
    await journal.append(RUN, [(3, large)])
    assert journal.read(RUN) == [PLANNED, progress, large]


async def test_a_disk_that_is_full_for_the_first_time_is_told(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said, full = list[str](), [True]
    insert = journal._insert
    monkeypatch.setattr(
        journal, "_insert", lambda *given: False if full and full.pop() else insert(*given)
    )
    journal.say = said.append

    await write(journal, PLANNED)
    await journal.append(RUN, [(2, Noticed("more", at=12.0))])

    assert [text.partition(" is ")[2] for text in said] == [
        "full. The run waits until there is room: free some."
    ]
    assert len(journal.read(RUN)) == 2


def test_on_a_disk_that_is_really_full_the_ballast_lets_the_journal_write_on(
    tmp_path: Path,
) -> None:
    script = 'mount -t tmpfs -o size=3m tmpfs "$1" || exit 77; exec "$2" -c "$3" "$1"'
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("needs a mount namespace of its own")

    answer = subprocess.run(
        [unshare, "-rm", "sh", "-c", script, "sh", tmp_path, sys.executable, FILL_THE_DISK],
        check=False,
        capture_output=True,
        text=True,
    )
    if answer.returncode == 77 or answer.stderr.startswith("unshare:"):
        pytest.skip("may not mount a small disk")

    assert answer.returncode == 0, answer.stderr
    full, afterwards = answer.stdout.splitlines()
    stored, ballast_is_there, *_ = full.split()
    assert int(stored) > 20
    assert ballast_is_there == "False"
    assert "no room for the journal" in full
    assert afterwards == f"{int(stored) + 1} last True"


async def test_a_run_that_has_ended_tells_how_long_it_took_without_its_pauses(
    journal: SqliteJournal,
) -> None:
    await write(journal, PLANNED, RunFinished(Outcome.OK, 0, 7.5, at=90.0))
    assert journal.runs()[0].makespan_seconds == 7.5

    await write(journal, RunAdopted(1, "you", at=95.0))
    assert journal.runs()[0].makespan_seconds is None


@pytest.mark.parametrize("left", ["nothing", "the log", "an older copy"])
async def test_a_journal_that_is_deleted_while_it_is_written_is_written_anew(
    tmp_path: Path, left: str
) -> None:
    path, said = tmp_path / "journal.db", list[str]()
    journal = SqliteJournal(path)
    journal.say = said.append
    await journal.append(RUN, [(1, PLANNED)])
    older = path.read_bytes()
    await journal.append(RUN, [(2, Noticed("second", at=11.0))])
    for file in [path] if left == "the log" else [*tmp_path.iterdir()]:
        file.unlink()
    if left == "an older copy":
        path.write_bytes(older)

    await journal.append(RUN, [(3, Noticed("third", at=12.0))])
    await journal.append(RUN, [(4, Noticed("fourth", at=13.0))])

    reader = SqliteJournal(path)
    assert len(reader.read(RUN)) == len(journal.read(RUN)) == 4
    reader.close_now()
    assert len(said) == 1
    assert "nothing is lost" in said[0]
    path.unlink()
    await journal.close()
    again = SqliteJournal(path)
    assert len(again.read(RUN)) == 4
    again.close_now()
