"""Output of `pex-tui agents add`: the offer before anything is written, and the result."""

import textwrap
from collections.abc import Callable, Iterator, Sequence

from pex_tui.core.formatting import counted
from pex_tui.core.sanitize import clean
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.source_offer import (
    LOCK_NAME,
    Offer,
    OfferedAgent,
    OfferStatus,
)

WIDTH = 100
_INDENT = "  "
_LABEL = 13
_PROMPT_LINES = 4
_LONGEST = 300

Others = Callable[[AgentDefinition], Sequence[str]]


def render_offer(offer: Offer, folder: str, others: Others, *, force: bool) -> str:
    """Render all that the source brings to the folder; `others` describes an agent's namesakes."""
    origin = offer.source.origin
    lines = [f"From {origin.source}"]
    if origin.commit is not None:
        named = f", tag {origin.tag}" if origin.tag else ""
        lines.append(f"commit {origin.commit}{named}")
    lines.append(f"to {folder}:")
    for offered in offer.agents:
        lines += ["", *_agent(offered, others(offered.agent), force=force)]
    if offer.left_out:
        lines += ["", "Left out:"]
        lines += [f"{_INDENT}{left.path}: {left.reason}" for left in offer.left_out]
    return "".join(f"{clean(line)}\n" for line in lines)


def render_added(taken: Sequence[OfferedAgent], folder: str) -> str:
    """Render what was done."""
    written = [offered for offered in taken if offered.standing is not OfferStatus.SAME]
    return (
        clean(
            f"Added {counted(len(written), 'definition')} to {folder}; "
            f"{LOCK_NAME} there records the sources."
        )
        + "\n"
    )


def _agent(offered: OfferedAgent, others: Sequence[str], *, force: bool) -> Iterator[str]:
    agent = offered.agent
    yield f"{agent.name}  ({_standing(offered, force=force)})"
    yield from _labelled("Description", agent.description or "none")
    yield from _labelled("Tools", _tools(agent))
    if agent.argv is not None:
        yield from _labelled("Command", " ".join(agent.argv))
    if agent.writes:
        yield from _labelled("Writes", ", ".join(agent.writes))
    for other in others:
        yield from _labelled("Same name", other)
    for finding in (*offered.surprises, *offered.findings):
        yield from _labelled("! Look", f"line {finding.line}: {finding.text}")
    yield from _prompt(agent.prompt)


def _standing(offered: OfferedAgent, *, force: bool) -> str:
    file = offered.entry.file
    match offered.standing:
        case OfferStatus.NEW:
            return f"new: {file}"
        case OfferStatus.SAME:
            return f"there already: {file}"
        case OfferStatus.DIFFERS:
            kept = "replaces" if force else "kept, as --force alone replaces it:"
            return f"{kept} {file}"


def _tools(agent: AgentDefinition) -> str:
    if agent.tools is None:
        return "all, so it may run commands and change files"
    return ", ".join(agent.tools) or "none"


def _prompt(prompt: str) -> Iterator[str]:
    lines = [line for line in prompt.splitlines() if line.strip()]
    for place, line in enumerate(lines[:_PROMPT_LINES]):
        yield from _labelled("" if place else "Prompt", line)
    if len(lines) > _PROMPT_LINES:
        yield from _labelled("", f"… and {counted(len(lines) - _PROMPT_LINES, 'line')} more")


def _labelled(label: str, text: str) -> list[str]:
    indent = _INDENT + " " * _LABEL
    return textwrap.wrap(
        f"{_INDENT}{label:<{_LABEL}}{clean(text, _LONGEST)}",
        WIDTH,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )
