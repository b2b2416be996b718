"""Messages of landing commits: the plan's text, then trailers with the run, task and agent."""

import re

from pex_tui.core.model.ids import RunId, TaskId
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.sanitize import clean

RUN_TRAILER = "Pex-Run"
TASK_TRAILER = "Pex-Task"
AGENT_TRAILER = "Pex-Agent"
ROLLBACK_TRAILER = "Pex-Rollback"
COMMAND_AGENT = "command"  # stands for the agent of a task that is a plain command
_TRAILER = re.compile(r"[A-Za-z0-9-]+: \S.*")


def landing_message(spec: TaskSpec, run: RunId, goal: str) -> bytes:
    """Return the task's commit message with the run's trailers.

    Every line is cleaned, because `git log` prints it to a terminal. Trailers at the end of the
    message share their paragraph with ours.
    """
    lines = _lines(spec.commit_message) or _lines(f"{spec.id}: {goal.strip() or spec.title}")
    agent = clean(spec.agent or "").strip() or COMMAND_AGENT
    trailers = [f"{RUN_TRAILER}: {run}", f"{TASK_TRAILER}: {spec.id}", f"{AGENT_TRAILER}: {agent}"]
    gap = [] if _ends_in_trailers(lines) else [""]
    return "\n".join([*lines, *gap, *trailers, ""]).encode("utf-8", "replace")


def trailers_of(message: bytes) -> tuple[RunId, TaskId] | None:
    """Return the run and task named in the last paragraph of a commit message, if they are."""
    return _named(message, TASK_TRAILER)


def rollback_of(message: bytes) -> tuple[RunId, TaskId] | None:
    """Return the run and task whose landing the commit undoes; None if it is no rollback."""
    return _named(message, ROLLBACK_TRAILER)


def rollback_message(landing: bytes, commit: str, run: RunId, task: TaskId) -> bytes:
    """Return the message of the commit that undoes a landing, whose message and id are given."""
    subject = subject_of(landing)
    trailers = f"{RUN_TRAILER}: {run}\n{ROLLBACK_TRAILER}: {task}"
    text = f'Revert "{subject}"\n\nThis reverts commit {commit}.\n\n{trailers}\n'
    return text.encode("utf-8", "replace")


def subject_of(message: bytes) -> str:
    """Return the first line of a commit message, cleaned."""
    return clean(message.decode("utf-8", "replace").strip().partition("\n")[0])


def _named(message: bytes, trailer: str) -> tuple[RunId, TaskId] | None:
    paragraph = message.decode("utf-8", "replace").rstrip().rpartition("\n\n")[2]
    found = dict(line.split(": ", 1) for line in paragraph.split("\n") if ": " in line)
    if RUN_TRAILER not in found or trailer not in found:
        return None
    return RunId(found[RUN_TRAILER]), TaskId(found[trailer])


def _lines(text: str) -> list[str]:
    cleaned = [clean(line).rstrip() for line in text.replace("\r\n", "\n").split("\n")]
    return "\n".join(cleaned).strip("\n").split("\n") if any(cleaned) else []


def _ends_in_trailers(lines: list[str]) -> bool:
    if "" not in lines:
        return False
    last = lines[len(lines) - lines[::-1].index("") :]
    return bool(last) and all(_TRAILER.fullmatch(line) for line in last)
