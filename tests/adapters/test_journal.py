import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pex_tui.adapters.journal import SqliteJournal
from pex_tui.adapters.journal_file import JournalError
from pex_tui.core.events import (
    AgentExited,
    AgentProgressed,
    AgentStarted,
    BranchMoved,
    Event,
    Noticed,
    RunAdopted,
    RunFinished,
    RunPlanned,
)
from pex_tui.core.ids import CommitId, RunId, SlotId, TaskId
from pex_tui.core.plan import Plan
from pex_tui.core.rules import RunRules
from pex_tui.core.state import Outcome
from tests.core.world import task

RUN = RunId("7f3a")
A = TaskId("a")
PLANNED = RunPlanned(
    RUN, Plan((task("a"),), goal="try"), RunRules(), CommitId("b"), "pex/7f3a", None, 1, at=10.0
)
WRITER = """
import asyncio, sys
from pathlib import Path
from pex_tui.adapters.journal import SqliteJournal
from pex_tui.core.events import Noticed
from pex_tui.core.ids import RunId

async def write():
    journal = SqliteJournal(Path(sys.argv[1]))
    seq = len(journal.read(RunId("7f3a")))
    while True:
        seq += 1
        await journal.append(RunId("7f3a"), [(seq, Noticed(str(seq), at=1.0))])
        print(seq, flush=True)

asyncio.run(write())
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


async def test_durations_are_those_of_attempts_that_ended_well(journal: SqliteJournal) -> None:
    await write(
        journal,
        PLANNED,
        AgentStarted(A, 1, SlotId(1), 7, 100.0, at=100.0),
        AgentExited(A, 1, 0, 103.5, at=104.0),
    )

    assert journal.durations() == {A: [3.5]}


async def test_a_forgotten_run_is_gone(journal: SqliteJournal) -> None:
    await write(journal, PLANNED)

    journal.forget(RUN)

    assert journal.read(RUN) == []
    assert journal.runs() == []


async def test_a_broken_journal_is_moved_aside_and_said(path: Path) -> None:
    path.write_bytes(b"this was never a database" * 100)

    journal = SqliteJournal(path)

    assert "journal.db.corrupt-1" in journal.notice
    assert path.with_name("journal.db.corrupt-1").read_bytes().startswith(b"this was")
    assert journal.runs() == []
    await journal.close()


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
    for round_number in range(1, 6):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        for line in writer.stdout:
            acknowledged = int(line)
            if acknowledged >= round_number * 20:
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
