"""The agent library for a terminal: a table, one agent in full, or the result of a check."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pex_tui.core.formatting import counted, size, spoken
from pex_tui.core.model.plan import PermissionMode
from pex_tui.core.sanitize import clean
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.definition_checks import CheckedFile
from pex_tui.planning.fields.quantities import format_percent

WIDTH = 100
_HEAD = ("NAME", "SOURCE", "RUNNER", "READ-ONLY", "DESCRIPTION")
_NOTHING = "-"
_LEAST_DESCRIPTION = 12
_LABEL = 13
_SENTENCE = re.compile(r"(?<=[.!?])\s")


def render_agents(agents: Iterable[AgentDefinition], width: int = WIDTH) -> str:
    """Render one line per agent, at most `width` columns wide, sorted by name."""
    rows = [_HEAD, *(_row(agent) for agent in sorted(agents, key=lambda agent: agent.name))]
    if len(rows) == 1:
        return "The library is empty. Add an agent: pex-tui agents add SOURCE.\n"
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD) - 1)]
    room = max(_LEAST_DESCRIPTION, width - sum(widths) - 2 * len(widths))
    return "".join(_line(row, widths, room, width) for row in rows)


def agents_as_objects(agents: Iterable[AgentDefinition]) -> list[dict[str, Any]]:
    """Return the objects of `agents list --json`, sorted by name."""
    return [
        {
            "name": agent.name,
            "source": agent.layer,
            "runner": agent.runner,
            "read_only": agent.is_read_only,
            "path": agent.path,
            "description": agent.description,
        }
        for agent in sorted(agents, key=lambda agent: agent.name)
    ]


def render_agent(
    agent: AgentDefinition, hidden: Sequence[AgentDefinition], origin: str = ""
) -> str:
    """Render one agent in full; `hidden` are namesakes that it takes precedence over.

    `origin` is the recorded source, if there is one.
    """
    lines = [clean(agent.name), *_wrapped(agent.description or "(no description)"), ""]
    lines.append(_whole("Source", f"{agent.layer}: {agent.path}"))
    lines += [_whole("Added from", origin)] if origin else []
    for label, text in _facts(agent):
        lines += _labelled(label, text)
    lines += [_whole("Hides", f"{other.layer}: {other.path}") for other in hidden]
    lines += ["", *(clean(line) for line in (agent.prompt or "(no prompt)").splitlines())]
    return "".join(f"{line}\n" for line in lines)


def render_findings(files: Iterable[CheckedFile]) -> str:
    """Render one line per finding, with its place, and a summary line."""
    checked = tuple(files)
    lines, errors = [], 0
    for file in checked:
        for finding in file.findings:
            errors += finding.is_error
            weight = "error" if finding.is_error else "warning"
            lines.append(clean(f"{file.path}:{finding.line}: {weight}: {finding.text}"))
    warnings = len(lines) - errors
    summary = ", ".join(
        (
            counted(len(checked), "definition"),
            counted(errors, "error"),
            counted(warnings, "warning"),
        )
    )
    return "".join(f"{line}\n" for line in [*lines, f"{summary}."])


def first_sentence(text: str) -> str:
    """Return the first sentence of a text, cleaned, in one line."""
    return _SENTENCE.split(clean(text.strip()), maxsplit=1)[0]


def _row(agent: AgentDefinition) -> tuple[str, ...]:
    return (
        clean(agent.name),
        agent.layer,
        clean(agent.runner or _NOTHING),
        "yes" if agent.is_read_only else "no",
        first_sentence(agent.description) or _NOTHING,
    )


def _line(row: tuple[str, ...], widths: list[int], room: int, width: int) -> str:
    *columns, description = row
    padded = [text.ljust(wide) for text, wide in zip(columns, widths, strict=True)]
    return _cut("  ".join([*padded, _cut(description, room)]).rstrip(), width) + "\n"


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: max(0, room - 1)] + "…"


def _facts(agent: AgentDefinition) -> Iterator[tuple[str, str]]:
    yield "Runner", agent.runner or f"{_NOTHING} (none is here; see pex-tui doctor)"
    if agent.argv is not None:
        yield "Command", " ".join(agent.argv)
    yield "Model", agent.model or "not said"
    yield "Tools", "all" if agent.tools is None else ", ".join(agent.tools) or "none"
    yield "Reads", ", ".join(agent.reads) or "not said"
    if agent.is_read_only:
        yield "Writes", "nothing: it is read-only"
    else:
        yield "Writes", ", ".join(agent.writes or ()) or "not declared; predicted for each task"
    yield "Expects", agent.expects.value if agent.expects else "not said"
    if agent.permissions is not None:
        rules = agent.permissions
        own = rules.mode is not PermissionMode.ALL  # a name that no definition can have
        yield "Permissions", f"mode {rules.mode}" if own else "the configuration's mode"
        yield "  allowed", ", ".join(rules.allow) or "nothing besides"
        yield "  denied", ", ".join(rules.deny) or "nothing besides"
    if agent.cluster:
        yield "Cluster", agent.cluster
    if agent.estimate_seconds is not None:
        yield "Estimate", spoken(agent.estimate_seconds)
    if agent.timeout_seconds is not None:
        yield "Timeout", spoken(agent.timeout_seconds)
    if agent.memory_bytes is not None:
        yield "Memory", size(agent.memory_bytes)
    if agent.cpu_cores is not None:
        yield "CPU", f"{format_percent(agent.cpu_cores)} of a core"


def _whole(label: str, text: str) -> str:
    """Return an unwrapped line, so that the path in it can be copied."""
    return clean(f"{label:<{_LABEL}}{text}")


def _labelled(label: str, text: str) -> list[str]:
    return textwrap.wrap(
        f"{label:<{_LABEL}}{clean(text)}",
        WIDTH,
        subsequent_indent=" " * _LABEL,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _wrapped(text: str) -> list[str]:
    return [line for part in text.splitlines() for line in textwrap.wrap(clean(part), WIDTH)]
