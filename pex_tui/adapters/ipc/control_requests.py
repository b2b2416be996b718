"""Requests on the control socket, each parsed strictly into the event that it becomes.

A request is one JSON object with the name of a request event and its fields, such as `{"request":
"pause", "task": "api", "by": "you"}`. Nothing is guessed or converted: an unknown key, another type
or a number out of range is refused with a reason, because accepted requests are journaled for good.
"""

import json
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from pex_tui.core.events.agent_events import BudgetExtended, MessageSent, PermissionDecided
from pex_tui.core.events.run_events import (
    AbortRequested,
    BoostRequested,
    BoostToggled,
    ConflictDecided,
    Event,
    LandRequested,
    PauseRequested,
    ResumeRequested,
    RetryRequested,
    RunAbortRequested,
    RunDrainRequested,
    RunPauseRequested,
    RunResumeRequested,
    SlotsRequested,
)
from pex_tui.core.model.conflict import Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.run_rules import MOST_SLOTS
from pex_tui.core.model.task_state import Verdict

_Word = TypeVar("_Word", bound=StrEnum)

LET_GO, DIFF, ATTEND = "let_go", "diff", "attend"
LONGEST_LINE = 64 * 1024
_SLOTS, _DECIDE, _DRAIN, _PERMIT, _TELL = "slots", "decide", "drain", "permit", "tell"
_LONGEST_AUTHOR = 80
_LONGEST_NAME = 400
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_TASK_REQUESTS: Mapping[str, Callable[[TaskId, str], Event]] = {
    "pause": PauseRequested,
    "resume": ResumeRequested,
    "boost": BoostRequested,
    "abort": AbortRequested,
    "retry": RetryRequested,
}
_RUN_REQUESTS: Mapping[str, Callable[[str], Event]] = {
    "pause_run": RunPauseRequested,
    "resume_run": RunResumeRequested,
    "abort_run": RunAbortRequested,
    "boost_run": BoostToggled,
    "land": LandRequested,
    "extend_budget": BudgetExtended,
}
_FIELDS: Mapping[str, frozenset[str]] = {
    LET_GO: frozenset(),
    ATTEND: frozenset(),
    DIFF: frozenset({"task"}),
    _SLOTS: frozenset({"slots"}),
    _DECIDE: frozenset({"task", "decision", "work"}),
    _DRAIN: frozenset({"kill"}),
    _PERMIT: frozenset({"task", "permission", "verdict"}),
    _TELL: frozenset({"task", "text"}),
    **dict.fromkeys(_TASK_REQUESTS, frozenset({"task"})),
    **dict.fromkeys(_RUN_REQUESTS, frozenset[str]()),
}
"""The fields of each request besides `request` and `by`."""


class ControlError(Exception):
    """A request that could not be delivered or was refused; the text gives the reason."""


def read_request(line: bytes) -> dict[str, Any]:
    """Parse the object of a line, with a known request and only its fields; raise ControlError."""
    try:
        request = json.loads(line, parse_constant=_no_number)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict):
        raise ControlError("a request is one JSON object on one line")
    wanted = request.get("request")
    if not isinstance(wanted, str) or wanted not in _FIELDS:
        known = ", ".join(sorted(_FIELDS))
        raise ControlError(f"unknown request {_shown(wanted)}; there are: {known}")
    unknown = request.keys() - _FIELDS[wanted] - {"request", "by"}
    if unknown:
        raise ControlError(f"{wanted} has no {_shown(min(unknown))}")
    return request


def event_of(request: Mapping[str, Any], tasks: Mapping[TaskId, int]) -> Event:
    """Return the event that a request becomes; raise ControlError if anything in it is invalid."""
    wanted = request["request"]
    by = _text(request, "by", _LONGEST_AUTHOR) if "by" in request else "control socket"
    match wanted:
        case "slots":
            return SlotsRequested(_slots(request), by)
        case "drain":
            return RunDrainRequested(by, kill=_flag(request, "kill"))
        case "decide":
            decision = _choice(Decision, request, "decision")
            return ConflictDecided(task_of(request, tasks), decision, _commit(request), by)
        case "permit":
            asked = _text(request, "permission", _LONGEST_NAME)
            verdict = _choice(Verdict, request, "verdict")
            return PermissionDecided(task_of(request, tasks), asked, verdict, by)
        case "tell":
            text = _text(request, "text", LONGEST_LINE)
            return MessageSent(task_of(request, tasks), text, by)
    if wanted in _RUN_REQUESTS:
        return _RUN_REQUESTS[wanted](by)
    if wanted in _TASK_REQUESTS:
        return _TASK_REQUESTS[wanted](task_of(request, tasks), by)
    raise ControlError(f"{wanted} is not an event")


def task_of(request: Mapping[str, Any], tasks: Mapping[TaskId, int]) -> TaskId:
    """Return the task that a request names; raise ControlError."""
    name = request.get("task")
    if not isinstance(name, str) or TaskId(name) not in tasks:
        raise ControlError(f"there is no task {_shown(name)} in this run")
    return TaskId(name)


def request_for(event: Event) -> dict[str, Any]:
    """Return the request that becomes this event; raise ControlError if there is none."""
    match event:
        case SlotsRequested():
            return {"request": _SLOTS, "slots": event.slots, "by": event.by}
        case RunDrainRequested():
            return {"request": _DRAIN, "kill": event.kill, "by": event.by}
        case ConflictDecided():
            wanted = {"request": _DECIDE, "task": event.task, "by": event.by}
            return wanted | {"decision": event.decision, "work": event.work}
        case PermissionDecided():
            wanted = {"request": _PERMIT, "task": event.task, "by": event.by}
            return wanted | {"permission": event.request, "verdict": event.verdict}
        case MessageSent():
            return {"request": _TELL, "task": event.task, "text": event.text, "by": event.by}
    for name, make in _TASK_REQUESTS.items():
        if make is type(event):
            return {"request": name, "task": event.task, "by": event.by}  # type: ignore[union-attr]
    for name, make_for_run in _RUN_REQUESTS.items():
        if make_for_run is type(event):
            return {"request": name, "by": event.by}  # type: ignore[union-attr]
    raise ControlError(f"{type(event).__name__} can't be asked for")


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number in JSON")


def _text(request: Mapping[str, Any], name: str, longest: int) -> str:
    value = request.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise ControlError(f"{name} has to be a text of at most {longest} characters")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ControlError(f"{name} is not valid Unicode") from None
    return value


def _slots(request: Mapping[str, Any]) -> int:
    slots = request.get("slots")
    if type(slots) is not int or not 1 <= slots <= MOST_SLOTS:
        raise ControlError(f"slots has to be a whole number from 1 to {MOST_SLOTS}")
    return slots


def _flag(request: Mapping[str, Any], name: str) -> bool:
    value = request.get(name, False)
    if not isinstance(value, bool):
        raise ControlError(f"{name} has to be true or false")
    return value


def _choice(kind: type[_Word], request: Mapping[str, Any], name: str) -> _Word:
    """Return one of the allowed words."""
    value = request.get(name)
    try:
        return kind(value if isinstance(value, str) else "")
    except ValueError:
        raise ControlError(f"no such {name}; there are: {', '.join(kind)}") from None


def _commit(request: Mapping[str, Any]) -> CommitId | None:
    work = request.get("work")
    if work is None:
        return None
    if not isinstance(work, str) or _COMMIT.fullmatch(work) is None:
        raise ControlError("work has to be the full name of a commit")
    return CommitId(work)


def _shown(value: object) -> str:
    """Return a foreign value, safe to show in a message."""
    return ascii(value)[:60]
