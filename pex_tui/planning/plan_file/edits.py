"""Edits of a plan on its document; errors are reported as for a plan file.

Each edit returns the text of the changed plan, which is then parsed like any other.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import yaml

from pex_tui.core.model.plan import Plan
from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.fields.problems import PlanError, UnreadableError
from pex_tui.planning.plan_file.writer import document_to_yaml, flow, plan_document

FIELDS = (
    *("id", "agent", "prompt", "command", "dir", "needs", "reads", "writes", "beside"),
    *("locks", "priority"),
    *("estimate", "timeout", "retries", "memory", "cpu", "env", "stage", "isolation"),
    *("expects", "commit"),
)
"""The editable keys of a task, in the order of the form."""

_LISTS = frozenset({"needs", "reads", "writes", "beside", "locks"})
_REFERENCES = ("needs", "beside")  # fields that name other tasks
_EMPTY_LIST = "[]"
_COMMA = re.compile(r",(?![^{]*\})")  # a glob such as *.{c,h} contains commas
_PAIR = re.compile(r"(?P<name>[^:]+):\s+(?P<mode>\S+)")


def task_fields(plan: Plan, position: int) -> dict[str, str]:
    """Return the task as text by field: lists with commas, variables one per line."""
    entry = plan_document(plan)["tasks"][position]
    return {field: _shown(field, entry[field]) for field in FIELDS if field in entry}


def put_task(plan: Plan, position: int | None, fields: Mapping[str, str]) -> str:
    """Return the plan with the task replaced or added; references follow a new name."""
    document = plan_document(plan)
    tasks = document["tasks"]
    entry = {
        field: _read(field, fields[field]) for field in FIELDS if fields.get(field, "").strip()
    }
    if position is None:
        tasks.append(entry)
    else:
        before = tasks[position]
        tasks[position] = entry | ({"enabled": False} if "enabled" in before else {})
        _rename(tasks, before["id"], entry.get("id"))
    return document_to_yaml(document)


def drop_task(plan: Plan, position: int) -> str:
    """Return the plan without the task and without references to it."""
    document = plan_document(plan)
    gone = document["tasks"].pop(position)["id"]
    for entry in document["tasks"]:
        for field in _REFERENCES:
            _set_names(entry, field, [name for name in entry.get(field, []) if name != gone])
    return document_to_yaml(document)


def toggle_need(plan: Plan, position: int, need: int) -> str:
    """Return the plan in which the task's need for the other one is added or removed."""
    document = plan_document(plan)
    entry, wanted = document["tasks"][position], document["tasks"][need]["id"]
    needs = list(entry.get("needs", []))
    kept = [other for other in needs if other != wanted]
    _set_names(entry, "needs", kept if wanted in needs else [*needs, wanted])
    return document_to_yaml(document)


def by_field(error: PlanError, text: str, position: int) -> dict[str, tuple[str, ...]]:
    """Return the errors of the text by the task's field; those elsewhere under ""."""
    document = read_document(text)
    lines, tasks = document.lines, document.content["tasks"]
    name = tasks[position].get("id")
    is_taken = name is not None and [entry.get("id") for entry in tasks].count(name) > 1
    begin = lines.get(("tasks", position), 0)
    end = lines.get(("tasks", position + 1), text.count("\n") + 1)
    starts = sorted(
        (line, str(path[2]))
        for path, line in lines.items()
        if len(path) == len(("tasks", 0, "id")) and path[:2] == ("tasks", position)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for problem in error.found:
        if is_taken and problem.text.startswith(f'the id "{name}" is taken'):
            continue  # it names a line of a file that does not exist
        inside = begin <= problem.line < end or problem.line == begin
        above = [field for line, field in starts if inside and line <= problem.line]
        field = above[-1] if above else ""
        found[field].append(_without_place(problem.text, field))
    if is_taken:
        found["id"].append(f'Another task is called "{name}". Choose another id.')
    return {field: tuple(texts) for field, texts in found.items()}


def _without_place(text: str, field: str) -> str:
    """Return the message without the task's and the field's names, which the form shows."""
    before, colon, after = text.partition(f", {field}: ")
    return after if colon and before.startswith("task ") else text


def _rename(tasks: list[dict[str, Any]], before: str, after: object) -> None:
    if isinstance(after, str) and after != before:
        for entry in tasks:
            for field in _REFERENCES:
                names = entry.get(field, [])
                _set_names(entry, field, [after if name == before else name for name in names])


def _set_names(entry: dict[str, Any], field: str, names: list[str]) -> None:
    if names:
        entry[field] = flow(names)
    else:
        entry.pop(field, None)


def _shown(field: str, value: Any) -> str:
    if field == "env":
        return "\n".join(f"{name}={text}" for name, text in value.items())
    if field in _LISTS:
        return ", ".join(_item(one) for one in value) or _EMPTY_LIST
    if isinstance(value, list):
        flowed: str = yaml.safe_dump(
            list(value), default_flow_style=True, width=1_000_000, allow_unicode=True
        )
        return flowed.strip()
    return str(value)


def _item(one: Any) -> str:
    if isinstance(one, dict):
        return ", ".join(f"{name}: {mode}" for name, mode in one.items())
    return str(one)


def _read(field: str, text: str) -> Any:
    if field == "env":
        pairs = [line.partition("=") for line in text.splitlines() if line.strip()]
        return {name.strip(): value for name, _, value in pairs}
    if field in _LISTS:
        if text.strip() == _EMPTY_LIST:
            return flow([])
        return flow(_entry(part.strip()) for part in _COMMA.split(text) if part.strip())
    if field == "command" and text.lstrip().startswith("["):
        try:
            argv = read_document(text).content
        except UnreadableError:
            return text
        return flow(argv) if isinstance(argv, list) else text
    return text if field in {"prompt", "commit"} else text.strip()


def _entry(part: str) -> Any:
    pair = _PAIR.fullmatch(part)
    return {pair["name"].strip(): pair["mode"]} if pair else part
