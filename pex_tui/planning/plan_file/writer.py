"""Writer of plan files; the text parses back to the same plan."""

from collections.abc import Iterable
from typing import Any

import yaml

from pex_tui.core.model.plan import GatePolicy, LockMode, Plan, Priority, Strategy, TaskSpec
from pex_tui.planning.fields.quantities import format_duration, format_percent, format_size
from pex_tui.planning.plan_file.task_resolver import SHELL

_FLOW_WIDTH = 100


def plan_to_yaml(plan: Plan) -> str:
    """Return the plan file's text, without defaults that depend on nothing else."""
    return document_to_yaml(plan_document(plan))


def plan_document(plan: Plan) -> dict[str, Any]:
    """Return the plan as nested dicts and lists, keys in their usual order."""
    head: dict[str, Any] = {"version": 1}
    _put(head, "goal", plan.goal)
    _put(head, "base", plan.base)
    _put(head, "dir", plan.folder)
    _put(head, "slots", plan.slots)
    if plan.strategy is not Strategy.AUTO:
        head["strategy"] = plan.strategy.value
    _put(head, "verify", [_command(argv) for argv in plan.verify])
    if plan.gate is not GatePolicy.STRICT:
        head["gate"] = plan.gate.value
    head["tasks"] = [_task(spec, plan.folder) for spec in plan.tasks]
    return head


def document_to_yaml(document: dict[str, Any]) -> str:
    """Return a document's text; lists that came from a plan stay on one line."""
    return yaml.dump(
        document,
        Dumper=_PlanDumper,
        sort_keys=False,
        allow_unicode=True,
        width=_FLOW_WIDTH,
        default_flow_style=False,
    )


def _task(spec: TaskSpec, folder: str) -> dict[str, Any]:
    task: dict[str, Any] = {"id": str(spec.id)}
    _put(task, "agent", spec.agent)
    _put(task, "prompt", spec.prompt)
    if spec.brief is None:  # otherwise the agent determines what runs
        task["command"] = _command(spec.argv)
    if spec.folder != folder:
        task["dir"] = spec.folder or "."
    _put(task, "needs", _Flow(spec.needs))
    _put(task, "reads", _Flow(spec.reads))
    if spec.writes is not None:
        task["writes"] = _Flow(spec.writes)
    _put(task, "beside", _Flow(spec.beside))
    _put(task, "locks", _Flow(_locks(spec)))
    if spec.priority is not Priority.NORMAL:
        task["priority"] = spec.priority.value
    task["estimate"] = format_duration(spec.estimate_seconds)
    if spec.timeout_seconds is not None:
        task["timeout"] = format_duration(spec.timeout_seconds)
    if spec.retries is not None:
        task["retries"] = spec.retries
    if spec.memory_bytes is not None:
        task["memory"] = format_size(spec.memory_bytes)
    if spec.cpu_cores is not None:
        task["cpu"] = format_percent(spec.cpu_cores)
    _put(task, "env", dict(spec.env))
    _put(task, "stage", spec.stage)
    task["isolation"] = spec.isolation.value
    task["expects"] = spec.expects.value
    _put(task, "commit", spec.commit_message)
    if not spec.enabled:
        task["enabled"] = False
    return task


def _put(target: dict[str, Any], key: str, value: Any) -> None:
    """Set the key unless the value is empty."""
    if value is not None and value != "" and value not in ([], {}):
        target[key] = value


def _command(argv: tuple[str, ...]) -> Any:
    """Return a shell line as plain text, any other command as an argv."""
    is_line = argv[:2] == SHELL and len(argv) == len(SHELL) + 1
    plain = is_line and argv[-1] == argv[-1].strip() and argv[-1] != ""
    return argv[-1] if plain else _Flow(argv)


def _locks(spec: TaskSpec) -> list[Any]:
    return [
        str(lock.name) if lock.mode is LockMode.EXCLUSIVE else {str(lock.name): lock.mode.value}
        for lock in spec.locks
    ]


def flow(values: Iterable[Any]) -> list[Any]:
    """Return a list that is written on one line."""
    return _Flow(values)


class _Flow(list[Any]):
    """A list that is written on one line: [a, b]."""


class _PlanDumper(yaml.SafeDumper):
    """Indents lists under their key, keeps short lists on one line, writes long text as blocks."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's
        """Indent lists below their key as well."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's
        """Write equal values out each time."""
        return True


def _represent_flow(dumper: yaml.SafeDumper, flow: _Flow) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", flow, flow_style=True)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    plain = all(character.isprintable() or character == "\n" for character in text)
    style = ("|" if "\n" in text else None) if plain else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_PlanDumper.add_representer(_Flow, _represent_flow)
_PlanDumper.add_representer(str, _represent_text)
