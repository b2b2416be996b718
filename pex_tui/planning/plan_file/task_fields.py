"""A plan's text as checked fields: each task by itself, so that one mistake hides no other."""

from typing import Any

from msgspec import Struct, field
from pydantic import ValidationError

from pex_tui.planning.fields.documents import (
    Document,
    Path,
    Problem,
    UnreadableError,
    read_document,
)
from pex_tui.planning.fields.schema import PlanFile, PlanHead, TaskFile
from pex_tui.planning.fields.validation_text import explain

_START = "Start with tasks: and a first task."


class TaskDraft(Struct, frozen=True):
    """One task as written; `broken` are the keys whose values could not be read."""

    position: int
    label: str  # how messages name it
    id: str | None  # as written, even when it is no valid id
    needs: tuple[tuple[str, int], ...]  # as written, with their lines
    fields: TaskFile | None
    broken: frozenset[str]
    line: int

    def reads_well(self, *keys: str) -> bool:
        """Whether the task could be read and none of these keys is among the broken."""
        return self.fields is not None and self.broken.isdisjoint(keys)


class Draft(Struct):
    """A plan as far as it could be read, and what was wrong on the way."""

    document: Document
    head: PlanHead = field(default_factory=PlanHead)
    broken: frozenset[str] = frozenset()
    tasks: tuple[TaskDraft, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def complain(self, line: int, text: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(line, text))


def read_draft(text: str) -> Draft:
    """The plan's text, field by field; raises nothing for any text."""
    try:
        document = read_document(text)
    except UnreadableError as error:
        draft = Draft(Document(None, {}))
        draft.problems.append(error.problem)
        return draft
    draft = Draft(document, problems=list(document.problems))
    content = document.content
    if content is None:
        draft.complain(1, f"the plan is empty. {_START}")
    elif not isinstance(content, dict):
        draft.complain(document.line_of(()), f"the plan is not a mapping of keys. {_START}")
    else:
        _read_head(draft, content)
        _read_tasks(draft, content)
    return draft


def _read_head(draft: Draft, content: dict[str, Any]) -> None:
    given = {key: value for key, value in content.items() if key != "tasks"}
    try:
        draft.head = PlanHead.model_validate(given)
    except ValidationError as error:
        draft.broken = _complain_of(draft, error, (), "", PlanFile)
        kept = {key: value for key, value in given.items() if key not in draft.broken}
        draft.head = PlanHead.model_validate(kept)


def _read_tasks(draft: Draft, content: dict[str, Any]) -> None:
    if "tasks" not in content:
        draft.complain(draft.document.line_of(()), f"the plan has no tasks. {_START}")
        return
    listed = content["tasks"]
    if not isinstance(listed, list):
        line = draft.document.line_of(("tasks",))
        draft.complain(line, "tasks is not a list. Write each task as an entry that starts with -")
        return
    if not listed:
        draft.complain(draft.document.line_of(("tasks",)), "the plan has no tasks. Add one.")
    draft.tasks = tuple(_read_task(draft, place, entry) for place, entry in enumerate(listed))


def _read_task(draft: Draft, position: int, entry: Any) -> TaskDraft:
    path = ("tasks", position)
    line = draft.document.line_of(path)
    if not isinstance(entry, dict):
        draft.complain(
            line, f"task {position + 1} is not a mapping of keys. Write id: and command:"
        )
        return TaskDraft(position, f"task {position + 1}", None, (), None, frozenset(), line)
    raw_id = entry.get("id")
    written = raw_id if isinstance(raw_id, str) else None
    label = f"task {position + 1}" if written is None else f'task "{written}"'
    fields, broken = _read_fields(draft, path, label, entry)
    return TaskDraft(position, label, written, _needs(draft, path, entry), fields, broken, line)


def _read_fields(
    draft: Draft, path: Path, label: str, entry: dict[str, Any]
) -> tuple[TaskFile, frozenset[str]]:
    try:
        return TaskFile.model_validate(entry), frozenset()
    except ValidationError as error:
        broken = _complain_of(draft, error, path, label, TaskFile)
        kept = {key: value for key, value in entry.items() if key not in broken}
        if "id" in broken:
            kept["id"] = "unnamed"
        return TaskFile.model_validate(kept), broken


def _needs(draft: Draft, path: Path, entry: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    listed = entry.get("needs")
    if not isinstance(listed, list):
        return ()
    return tuple(
        (need.strip(), draft.document.line_of((*path, "needs", place)))
        for place, need in enumerate(listed)
        if isinstance(need, str)
    )


def _complain_of(
    draft: Draft,
    error: ValidationError,
    path: Path,
    label: str,
    model: type[PlanFile] | type[TaskFile],
) -> frozenset[str]:
    """Note each of pydantic's findings at its line; return the keys that they are in."""
    broken = set()
    for finding in error.errors(include_url=False):
        key = str(finding["loc"][0])
        broken.add(key)
        text = explain(finding, model.model_fields)
        known = key in model.model_fields and finding["type"] != "missing"
        where = ", ".join(part for part in (label, key if known else "") if part)
        draft.complain(
            draft.document.line_of((*path, *finding["loc"])), f"{where}: {text}" if where else text
        )
    return frozenset(broken)
