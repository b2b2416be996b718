"""Parsing of a plan's text into fields, task by task, so that one error hides no other."""

from typing import Any, TypeVar, cast

from msgspec import Struct, field

from pex_tui.planning.fields.declaration import Section, SectionOf
from pex_tui.planning.fields.documents import Document, read_document
from pex_tui.planning.fields.kinds import Finding
from pex_tui.planning.fields.problems import Path, Problem, UnreadableError
from pex_tui.planning.fields.schema import PlanHead, TaskFile

_Read = TypeVar("_Read", bound=Section)
_START = "Start with tasks: and a first task."


class TaskFields(Struct, frozen=True):
    """One task as written; `broken` are the keys with invalid values."""

    position: int
    label: str  # its name in messages
    id: str | None  # as written, even if invalid
    needs: tuple[tuple[str, int], ...]  # as written, with their lines
    fields: TaskFile | None
    broken: frozenset[str]
    line: int

    def reads_well(self, *keys: str) -> bool:
        """Return whether the task was parsed and none of these keys is broken."""
        return self.fields is not None and self.broken.isdisjoint(keys)


class PlanFields(Struct):
    """A plan as far as it was parsed, with the errors found."""

    document: Document
    head: PlanHead = field(default_factory=PlanHead)
    broken: frozenset[str] = frozenset()
    tasks: tuple[TaskFields, ...] = ()
    problems: list[Problem] = field(default_factory=list)

    def complain(self, line: int, text: str) -> None:
        """Record an error."""
        self.problems.append(Problem(line, text))


def read_fields(text: str) -> PlanFields:
    """Parse a plan's text by field; never raises."""
    try:
        document = read_document(text)
    except UnreadableError as error:
        draft = PlanFields(Document(None, {}))
        draft.problems.append(error.problem)
        return draft
    draft = PlanFields(document, problems=list(document.problems))
    content = document.content
    if content is None:
        draft.complain(1, f"the plan is empty. {_START}")
    elif not isinstance(content, dict):
        draft.complain(document.line_of(()), f"the plan is not a mapping of keys. {_START}")
    else:
        _read_head(draft, content)
        _read_tasks(draft, content)
    return draft


def _read_head(draft: PlanFields, content: dict[str, Any]) -> None:
    given = {key: value for key, value in content.items() if key != "tasks"}
    draft.head, draft.broken = _read_section(draft, PlanHead, (), "", given)


def _read_tasks(draft: PlanFields, content: dict[str, Any]) -> None:
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


def _read_task(draft: PlanFields, position: int, entry: Any) -> TaskFields:
    path = ("tasks", position)
    line = draft.document.line_of(path)
    if not isinstance(entry, dict):
        draft.complain(
            line, f"task {position + 1} is not a mapping of keys. Write id: and command:"
        )
        return TaskFields(position, f"task {position + 1}", None, (), None, frozenset(), line)
    raw_id = entry.get("id")
    written = raw_id if isinstance(raw_id, str) else None
    label = f"task {position + 1}" if written is None else f'task "{written}"'
    fields, broken = _read_section(draft, TaskFile, path, label, entry, id="unnamed")
    return TaskFields(position, label, written, _needs(draft, path, entry), fields, broken, line)


def _read_section(
    draft: PlanFields,
    of: type[_Read],
    path: Path,
    label: str,
    entry: dict[str, Any],
    **stand_ins: str,
) -> tuple[_Read, frozenset[str]]:
    """Parse a section and record its errors with lines; keys with errors are broken.

    `stand_ins` replace missing or broken values of keys without a default.
    """
    section, findings = SectionOf(of), list[Finding]()
    fields = section.read(entry, path, findings)
    broken = frozenset(str(one.path[len(path)]) for one in findings)
    for one in findings:
        key = str(one.path[len(path)])
        is_there = key in section.keys and key in entry
        where = ", ".join(part for part in (label, key if is_there else "") if part)
        line = draft.document.line_of(one.path)
        draft.complain(line, f"{where}: {one.text}" if where else one.text)
    if broken:
        kept = {key: value for key, value in entry.items() if key not in broken}
        needed = {key: value for key, value in stand_ins.items() if key in broken}
        fields = section.read(kept | needed, path, [])
    return cast("_Read", fields), broken


def _needs(draft: PlanFields, path: Path, entry: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    listed = entry.get("needs")
    if not isinstance(listed, list):
        return ()
    return tuple(
        (need.strip(), draft.document.line_of((*path, "needs", place)))
        for place, need in enumerate(listed)
        if isinstance(need, str)
    )
