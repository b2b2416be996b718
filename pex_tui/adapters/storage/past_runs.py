"""Read from the journal how long work, gates and starts took in the latest runs."""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from msgspec import Struct, field

from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.core.figures.experience import Experience, TaskWork, gate_key, learned
from pex_tui.core.model.plan import Pace

_KINDS = (
    *("run_planned", "task_dispatched", "agent_started", "agent_paused", "agent_resumed"),
    *("agent_exited", "work_captured", "gate_finished"),
)
USUAL_PACE = Pace(start_seconds=0.2, capture_seconds=0.1, land_seconds=0.2)
_Attempt = tuple[str, str, int]


def read_experience(journal: SqliteJournal) -> Experience:
    """Return the experience of the latest runs; raise JournalError."""
    book = _Book()
    for run, kind, at, body in journal.recent(_KINDS):
        book.note(run, kind, at, body)
    usual = USUAL_PACE
    return Experience(
        works={key: learned(took) for key, took in book.works.items()},
        gates={key: statistics.median(took) for key, took in book.gates.items()},
        pace=Pace(
            start_seconds=_median(book.starts, usual.start_seconds),
            capture_seconds=_median(book.captures, usual.capture_seconds),
            land_seconds=usual.land_seconds,
        ),
    )


def _median(seconds: Iterable[float], usual: float) -> float:
    known = list(seconds)
    return statistics.median(known) if known else usual


class _Book(Struct):
    """Durations, collected event by event."""

    works: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    gates: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    starts: list[float] = field(default_factory=list)
    captures: list[float] = field(default_factory=list)
    _plans: dict[str, dict[str, TaskWork]] = field(default_factory=dict)
    _gates: dict[str, str] = field(default_factory=dict)
    _times: dict[_Attempt, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    def note(self, run: str, kind: str, at: float, body: dict[str, Any]) -> None:
        """Record an event's durations."""
        if kind == "run_planned":
            plan = body["plan"]
            self._plans[run] = {task["id"]: _work(task) for task in plan["tasks"]}
            self._gates[run] = gate_key(plan.get("verify", ()))
            return
        times = self._times[run, body["task"], body["attempt"]]
        match kind:
            case "gate_finished" if body["passed"] and run in self._gates:
                self.gates[self._gates[run]].append(body["seconds"])
            case "task_dispatched":
                times["dispatched"] = at
            case "agent_started" if "started" not in times:
                times["started"] = body["started_at"]
                if "dispatched" in times:
                    self.starts.append(max(0.0, body["started_at"] - times["dispatched"]))
            case "agent_paused":
                times["paused"] = at
            case "agent_resumed" if "paused" in times:
                times["off"] = times.get("off", 0.0) + at - times.pop("paused")
            case "agent_exited":
                self._exited(run, times, body)
            case "work_captured" if "exited" in times:
                self.captures.append(max(0.0, at - times["exited"]))
            case _:
                pass

    def _exited(self, run: str, times: dict[str, float], body: dict[str, Any]) -> None:
        times["exited"] = body["exited_at"]
        work = self._plans.get(run, {}).get(body["task"])
        if body.get("failure") is None and "started" in times and work is not None:
            took = body["exited_at"] - times["started"] - times.get("off", 0.0)
            self.works[work.key].append(took)
            self.works[work.usual_key].append(took)


def _work(task: dict[str, Any]) -> TaskWork:
    """Return the work of a task as the journal has it."""
    return TaskWork(
        tuple(task["argv"]),
        task.get("prompt") or "",
        task.get("agent") or "",
        (task.get("brief") or {}).get("runner", ""),
        task.get("folder") or "",
    )
