"""The SQLite journal: the events of all runs of a repository, in order and durable."""

import asyncio
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.storage.journal_file import (
    Ballast,
    JournalError,
    identity,
    is_full,
    open_file,
    put_back,
)
from pex_tui.core.events.event_codec import VERSION, CodecError, decode, encode, event_name
from pex_tui.core.events.run_events import TELEMETRY, Event, RunPlanned
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.semantics import ReplayError
from pex_tui.core.model.state import Outcome, RunState
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import JournalFull

_TELEMETRY_SECONDS = 1.0
_REMEMBERED_RUNS = 20  # number of runs that estimates are learned from
_Batch = list[tuple[RunId, int, Event]]
Row = tuple[RunId, int, float, str, str]


_STILL_THERE = (
    "Its branch pex/{run} and its refs are as they were: `pex-tui land {run}` or `git merge "
    "pex/{run}` brings what has landed to your branch. Other runs can be read."
)


@contextmanager
def told_of(run: RunId) -> Iterator[None]:
    """Raise JournalError with the next step for a run that cannot be replayed here."""
    try:
        yield
    except ReplayError as error:
        raise JournalError(
            f"Run {run} was recorded by another version of pex-tui and can't be replayed by this "
            f"one: {error}. {_STILL_THERE.format(run=run)}"
        ) from error


def _row(event: Event, seq: int, run: RunId) -> dict[str, Any]:
    return {"version": VERSION} | encode(event, seq, run)


class RunRow(Struct, frozen=True):
    """A run as the journal has it without a replay; `outcome` is None until the run has ended.

    `makespan_seconds` excludes pauses, as recorded at the run's last end, if any.
    """

    run: RunId
    goal: str
    created_at: float
    last_at: float
    worked_until: float  # landing the result on the user's branch later does not count
    tasks: int
    landed: int
    outcome: Outcome | None
    makespan_seconds: float | None


class SqliteJournal:
    """One writer in its own thread; readers in other processes see each commit as a whole.

    `notice` tells the user that the previous journal was broken; empty otherwise, and once this
    journal has a run. `say` is called on the loop if the file was deleted or replaced while open.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection, self.notice = open_file(path)
        self._identity = identity(path)
        self._in_place = threading.Lock()  # the connection is not replaced while it is read
        self._untold: list[str] = []
        self.say: Callable[[str], None] = lambda _: None
        self._ballast = Ballast(path)
        self._ballast.fill()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")
        # Filled by the loop, emptied by the writer alone; in order, because a journal with a gap in
        # its numbers cannot be continued.
        self._waiting: list[_Batch] = []
        self._flush_at_latest: asyncio.TimerHandle | None = None

    async def append(self, run: RunId, events: Sequence[tuple[int, Event]]) -> None:
        """Store (seq, event) pairs; durable on return, unless all are telemetry.

        Telemetry is written with the next transition, or after a second. Raises JournalFull if the
        disk was too full to store anything, JournalError if the file cannot be written.
        """
        batch: _Batch = [(run, seq, event) for seq, event in events]
        self._waiting.append(batch)
        loop = asyncio.get_running_loop()
        if not all(isinstance(event, TELEMETRY) for _, event in events):
            await loop.run_in_executor(self._writer, self._write, batch)
            while self._untold:
                self.say(self._untold.pop(0))
        elif self._flush_at_latest is None:
            self._flush_at_latest = loop.call_later(_TELEMETRY_SECONDS, self._flush)

    def read(self, run: RunId, *, after: int = 0) -> list[Event]:
        """Return the run's events after that number; raise JournalError for unreadable ones."""
        rows = self._rows(
            "SELECT body FROM events WHERE run = ? AND seq > ? ORDER BY seq", (run, after)
        )
        return [self._event(run, body) for (body,) in rows]

    def has(self, run: RunId) -> bool:
        """Return whether there are events of the run."""
        return bool(self._rows("SELECT seq FROM events WHERE run = ? LIMIT 1", (run,)))

    def planned(self, run: RunId) -> tuple[RunPlanned, int]:
        """Return the run's plan and the number of its last event, without reading those between.

        Raises JournalError if even these are unreadable.
        """
        rows = self._rows("SELECT body FROM events WHERE run = ? AND seq = 1", (run,))
        event = self._event(run, rows[0][0]) if rows else None
        if not isinstance(event, RunPlanned):
            raise JournalError(f"Run {run} has no plan in {self._path}. Other runs can be read.")
        ((last,),) = self._rows("SELECT MAX(seq) FROM events WHERE run = ?", (run,))
        return event, last

    def state(self, run: RunId) -> RunState:
        """Return the run's state after all of its events.

        Raises JournalError for unreadable ones.
        """
        from pex_tui.core.step import replay  # noqa: PLC0415  # large, and home needs none of it

        with told_of(run):
            return replay(self.read(run))

    def runs(self) -> list[RunRow]:
        """Return all runs, newest first."""
        rows = self._rows(
            """
            SELECT run, goal, created_at, tasks,
                (SELECT at FROM events e WHERE e.run = r.run ORDER BY seq DESC LIMIT 1),
                (SELECT at FROM events e WHERE e.run = r.run AND kind NOT IN ('run_adopted',
                    'land_requested', 'run_landed', 'run_land_refused', 'run_finished', 'noticed',
                    'rollback_begun', 'run_rolled_back', 'rollback_undone', 'rollback_refused')
                    ORDER BY seq DESC LIMIT 1),
                (SELECT COUNT(DISTINCT json_extract(body, '$.task')) FROM events e
                    WHERE e.run = r.run AND kind = 'branch_moved' AND json_valid(body)),
                (SELECT MAX(seq) FROM events e WHERE e.run = r.run AND kind = 'run_adopted'),
                (SELECT MAX(seq) FROM events e WHERE e.run = r.run AND kind = 'run_finished'),
                (SELECT json_extract(body, '$.outcome') FROM events e WHERE e.run = r.run
                    AND kind = 'run_finished' AND json_valid(body) ORDER BY seq DESC LIMIT 1),
                (SELECT json_extract(body, '$.makespan_seconds') FROM events e WHERE e.run = r.run
                    AND kind = 'run_finished' AND json_valid(body) ORDER BY seq DESC LIMIT 1),
                EXISTS (SELECT 1 FROM events e WHERE e.run = r.run AND kind = 'run_rolled_back')
            FROM runs r ORDER BY created_at DESC, run
            """
        )
        found = [
            RunRow(
                RunId(run),
                goal,
                created_at,
                last_at or created_at,
                worked_until or created_at,
                tasks,
                landed,
                _outcome(outcome) if has_ended else None,
                makespan if has_ended else None,
            )
            for run, goal, created_at, tasks, last_at, worked_until, *rest in rows
            for landed, adopted, finished, outcome, makespan, _ in (rest,)
            for has_ended in ((finished or 0) > (adopted or 0),)
        ]
        return [
            self._after_rollback(row) if raw[-1] else row
            for row, raw in zip(found, rows, strict=True)
        ]

    def _after_rollback(self, row: RunRow) -> RunRow:
        """Return the row with what is left of a run that was rolled back, by its replay."""
        try:
            state = self.state(row.run)
        except JournalError:
            return row
        landed = sum(task.landed is not None for task in state.tasks)
        return replace(row, landed=landed, outcome=state.outcome)

    def recent(self, kinds: Sequence[str]) -> list[tuple[str, str, float, dict[str, Any]]]:
        """Return events of these kinds in the latest runs as (run, kind, at, object), in order."""
        rows = self._rows(
            f"""
            SELECT run, kind, at, body FROM events
            WHERE kind IN ({",".join("?" * len(kinds))}) AND json_valid(body) AND run IN
                (SELECT run FROM runs ORDER BY created_at DESC LIMIT ?) ORDER BY run, seq
            """,  # noqa: S608 - question marks only
            (*kinds, _REMEMBERED_RUNS),
        )
        return [(run, kind, at, json.loads(body)) for run, kind, at, body in rows]

    def rows_of(self, run: RunId) -> list[list[Any]]:
        """Return a run's rows as they are stored, its own first; for `put_rows`."""
        own = self._rows("SELECT run, created_at, goal, tasks FROM runs WHERE run = ?", (run,))
        rows = self._rows(
            "SELECT run, seq, at, kind, body FROM events WHERE run = ? ORDER BY seq", (run,)
        )
        return [list(row) for row in (*own, *rows)] if own else []

    def put_rows(self, rows: list[list[Any]]) -> None:
        """Store the rows of a run that was forgotten; raise sqlite3.Error."""
        with self._connection as connection:
            connection.execute("BEGIN")
            connection.execute("INSERT INTO runs VALUES (?, ?, ?, ?)", rows[0])
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows[1:])
            connection.execute("COMMIT")

    def forget(self, run: RunId) -> None:
        """Delete a run's rows; raise JournalError."""
        try:
            with self._connection as connection:
                connection.execute("BEGIN")
                connection.execute("DELETE FROM events WHERE run = ?", (run,))
                connection.execute("DELETE FROM runs WHERE run = ?", (run,))
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise JournalError(f"The journal {self._path} can't be written: {error}.") from error

    async def close(self) -> None:
        """Write what is pending and close the file."""
        loop = asyncio.get_running_loop()
        with suppress(JournalFull):  # only telemetry is pending, and nothing follows it
            await loop.run_in_executor(self._writer, self._write, [])
        self.close_now()

    def close_now(self) -> None:
        """Close the file of a journal that was only read."""
        if self._flush_at_latest is not None:
            self._flush_at_latest.cancel()
        self._writer.shutdown()
        self._connection.close()

    def _flush(self) -> None:
        """Write the telemetry; after a failure it waits for the next transition."""
        self._flush_at_latest = None
        self._writer.submit(self._write, [])

    def _write(self, batch: _Batch) -> None:
        """Store all pending rows in one commit; if the disk is full, put the batch back."""
        batches = list(self._waiting)
        events = [row for waiting in batches for row in waiting]
        try:
            self._store(events)
        except (JournalFull, JournalError):
            if batch in self._waiting:
                self._waiting.remove(batch)
            raise
        del self._waiting[: len(batches)]

    def _keep_in_place(self) -> None:
        """Restore the file if somebody deleted or replaced it."""
        if self._identity is None or identity(self._path) == self._identity:
            return
        lost = f"The journal {self._path} was deleted or replaced during this run"
        try:
            with self._in_place:
                self._connection = put_back(self._connection, self._path)
        except (sqlite3.Error, OSError) as error:
            self._identity = None
            self._untold.append(
                f"{lost}, and can't be rewritten: {error}. Landed work is kept: its branch and "
                "refs tell of it once the run has ended."
            )
        else:
            self._identity = identity(self._path)
            self._untold.append(f"{lost}; it was rewritten, and nothing is lost.")

    def _store(self, events: _Batch) -> None:
        self._keep_in_place()
        if not events:
            return
        rows = [
            (run, seq, event.at, event_name(type(event)), json.dumps(_row(event, seq, run)))
            for run, seq, event in events
        ]
        plans = [
            (event.run, event.at, event.plan.goal, len(event.plan.tasks))
            for _, _, event in events
            if isinstance(event, RunPlanned)
        ]
        if self._insert(rows, plans):
            return
        if self._ballast.drop() and self._insert(rows, plans):
            self._untold.append(
                f"The disk of {clean(str(self._path.parent))} is full. "
                "The run waits until there is room: free some."
            )
            return
        raise JournalFull(f"no room for the journal {self._path}")

    def _insert(self, rows: list[Row], plans: list[tuple[RunId, float, str, int]]) -> bool:
        """Store the rows in one transaction; return False, with nothing stored, on a full disk."""
        connection = self._connection
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR IGNORE INTO runs VALUES (?, ?, ?, ?)", plans)
            connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if is_full(error, self._path):
                return False
            raise JournalError(
                f"The journal {self._path} can't be written: {error}. What it holds is safe; "
                "`pex-tui resume` continues from there."
            ) from error
        return True

    def _event(self, run: RunId, body: str) -> Event:
        """Return the event of a row, which has its own version; the first rows had none."""
        try:
            written = json.loads(body)
            version = written.pop("version", 1)
            return decode(written, version)
        except CodecError as error:
            raise JournalError(
                f"Run {run} was written by another version of pex-tui: {error}. "
                f"{_STILL_THERE.format(run=run)}"
            ) from error
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise JournalError(
                f"Run {run} has a damaged row in {self._path}: {error}. Other runs can be read."
            ) from error

    def _rows(self, query: str, values: tuple[str | int, ...] = ()) -> list[tuple[Any, ...]]:
        try:
            with self._in_place:
                return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise JournalError(
                f"The journal {self._path} can't be read: {error}. Branches and refs of its runs "
                "are as they were; move the file away to begin a new one."
            ) from error


def _outcome(written: str | None) -> Outcome:
    """Return the outcome of a finished run; one unknown to this version counts as a failure."""
    return Outcome(written) if written in set(Outcome) else Outcome.FAILED
