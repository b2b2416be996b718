"""The table of docs/agents.md, generated from the declared keys of an agent definition."""

from collections.abc import Iterator
from pathlib import Path

from pex_tui.planning.agent_definitions.definition_file import AgentFile
from pex_tui.planning.fields.declaration import Declared, SectionOf, keys_of
from pex_tui.planning.fields.kinds import OrNone
from tests.tools.settings_documents import ROOT

PAGE = ROOT / "docs" / "agents.md"
HEADING = "## Keys of a definition"


def declared_keys() -> Iterator[tuple[tuple[str, ...], Declared]]:
    """Yield every key with its path, those of an optional section included."""
    for path, one in keys_of(AgentFile):
        if one.section is None:
            yield path, one
        if isinstance(one.kind, OrNone) and isinstance(one.kind.inner, SectionOf):
            yield from keys_of(one.kind.inner.type, path)


def documents() -> dict[Path, str]:
    """Return docs/agents.md: the handwritten part, and a row for each key."""
    by_hand = PAGE.read_text("utf-8").partition(f"\n{HEADING}")[0].rstrip("\n")
    rows = "".join(f"| `{'.'.join(path)}` | {one.key.help} |\n" for path, one in declared_keys())
    note = "<!-- Made from pex_tui/planning/agent_definitions: python -m tests.tools -->"
    return {PAGE: f"{by_hand}\n\n{HEADING}\n\n{note}\n\n| key | meaning |\n|---|---|\n{rows}"}
