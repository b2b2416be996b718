"""The journal in SQLite: what happened in every run of a repository, in order, durable."""

import asyncio
import json
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pex_tui.adapters.journal_file import Ballast, JournalError, open_file
from pex_tui.core.codec import CodecError, decode, encode, event_name
from pex_tui.core.events import TELEMETRY, Event, RunPlanned
from pex_tui.core.ids import RunId, TaskId
from pex_tui.core.state import Outcome
from pex_tui.engine.ports import JournalFull

_TELEMETRY_SECONDS = 1.0
_REMEMBERED_RUNS = 20  # how many runs estimates are learned from
_FULL = ("disk is full", "database or disk is full", "disk I/O error")
Row = tuple[RunId, int, float, str, str]


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as the journal knows it without replaying it; `outcome` is None until it has ended."""

    run: RunId
    goal: str
    created_at: float
    last_at: float
    tasks: int
    landed: int
    outcome: Outcome | None


class SqliteJournal:
    """One writer in a thread of its own; readers of other processes see each commit whole.

    `notice` tells the user that an older journal was broken; it is empty otherwise.
    """

    def __init__(self, path: Path) -> None:
        self._connection, self.notice = open_file(path)
        self._ballast = Ballast(path)
        self._ballast.fill()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._telemetry: list[tuple[RunId, int, Event]] = []
        self._written_at = time.monotonic()

    async def append(self, run: RunId, events: Sequence[tuple[int, Event]]) -> None:
        """Store (seq, event) pairs; on the disk on return, unless all are telemetry.

        Telemetry goes with the next transition, or after a second. Raises JournalFull.
        """
        rows = [(run, seq, event) for seq, event in events]
        is_late = time.monotonic() - self._written_at > _TELEMETRY_SECONDS
        if not is_late and all(isinstance(event, TELEMETRY) for _, event in events):
            self._telemetry += rows
            return
        waiting, self._telemetry = [*self._telemetry, *rows], []
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._writer, self._write, waiting)
        except JournalFull:
            self._telemetry = waiting[: len(waiting) - len(rows)]
            raise

    def read(self, run: RunId) -> list[Event]:
        """All events of the run; raise JournalError for what this version can't read."""
        rows = self._connection.execute(
            "SELECT body FROM events WHERE run = ? ORDER BY seq", (run,)
        ).fetchall()
        try:
            return [decode(json.loads(body)) for (body,) in rows]
        except CodecError as error:
            raise JournalError(
                f"Run {run} was written by another version of pex-tui: {error}."
            ) from error

    def runs(self) -> list[RunRow]:
        """All runs, newest first."""
        rows = self._connection.execute(
            """
            SELECT run, goal, created_at, tasks,
                (SELECT at FROM events e WHERE e.run = r.run ORDER BY seq DESC LIMIT 1),
                (SELECT COUNT(DISTINCT json_extract(body, '$.task')) FROM events e
                    WHERE e.run = r.run AND kind = 'branch_moved'),
                (SELECT MAX(seq) FROM events e WHERE e.run = r.run AND kind = 'run_adopted'),
                (SELECT MAX(seq) FROM events e WHERE e.run = r.run AND kind = 'run_finished'),
                (SELECT json_extract(body, '$.outcome') FROM events e
                    WHERE e.run = r.run AND kind = 'run_finished' ORDER BY seq DESC LIMIT 1)
            FROM runs r ORDER BY created_at DESC, run
            """
        ).fetchall()
        return [
            RunRow(
                RunId(run),
                goal,
                created_at,
                last_at or created_at,
                tasks,
                landed,
                Outcome(outcome) if outcome and (finished or 0) > (adopted or 0) else None,
            )
            for run, goal, created_at, tasks, last_at, landed, adopted, finished, outcome in rows
        ]

    def durations(self) -> dict[TaskId, list[float]]:
        """How long well-ended attempts of each task took in the latest runs, in seconds."""
        rows = self._connection.execute(
            """
            SELECT run, kind, json_extract(body, '$.task'), json_extract(body, '$.attempt'),
                json_extract(body, '$.started_at'), json_extract(body, '$.exited_at'),
                json_extract(body, '$.failure')
            FROM events WHERE kind IN ('agent_started', 'agent_exited') AND run IN
                (SELECT run FROM runs ORDER BY created_at DESC LIMIT ?)
            """,
            (_REMEMBERED_RUNS,),
        ).fetchall()
        started = {row[:1] + row[2:4]: row[4] for row in rows if row[1] == "agent_started"}
        found: dict[TaskId, list[float]] = {}
        for run, kind, task, attempt, _, exited_at, failure in rows:
            began = started.get((run, task, attempt))
            if kind == "agent_exited" and failure is None and began is not None:
                found.setdefault(TaskId(task), []).append(exited_at - began)
        return found

    def forget(self, run: RunId) -> None:
        """Delete a run's rows."""
        with self._connection as connection:
            connection.execute("BEGIN")
            connection.execute("DELETE FROM events WHERE run = ?", (run,))
            connection.execute("DELETE FROM runs WHERE run = ?", (run,))
            connection.execute("COMMIT")

    async def close(self) -> None:
        """Write what is waiting and close the file."""
        if self._telemetry:
            waiting, self._telemetry = self._telemetry, []
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._writer, self._write, waiting)
        self.close_now()

    def close_now(self) -> None:
        """Close the file of a journal that was only read."""
        self._writer.shutdown()
        self._connection.close()

    def _write(self, events: list[tuple[RunId, int, Event]]) -> None:
        rows = [
            (run, seq, event.at, event_name(type(event)), json.dumps(encode(event, seq, run)))
            for run, seq, event in events
        ]
        plans = [
            (event.run, event.at, event.plan.goal, len(event.plan.tasks))
            for _, _, event in events
            if isinstance(event, RunPlanned)
        ]
        try:
            self._insert(rows, plans)
        except sqlite3.OperationalError as error:
            if not any(words in str(error) for words in _FULL):
                raise
            if not self._ballast.drop():
                raise JournalFull("the disk is full") from error
            self._insert(rows, plans)
        self._written_at = time.monotonic()

    def _insert(self, rows: list[Row], plans: list[tuple[RunId, float, str, int]]) -> None:
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)", plans)
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
