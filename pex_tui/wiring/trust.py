"""Whether the user trusts what a repository's own files would have pex-tui run or allow."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

from pex_tui.adapters.git.state_directory import state_home
from pex_tui.adapters.trust_store import TrustStore, digest_of
from pex_tui.core.text import clean
from pex_tui.errors import UntrustedError
from pex_tui.settings import REPOSITORY_FILE, repository_settings
from pex_tui.wiring.ground import Ground

_POWERS = (
    ("agents", "runners"),
    ("agents", "permissions", "mode"),
    ("agents", "permissions", "allow"),
    ("conflict_resolution", "merge_tool"),
    ("workspaces", "setup"),
    ("safety", "env_pass"),
    ("safety", "writable"),
    ("safety", "protected"),
)
"""Settings that name programs, or that may widen what agents do or see."""
_REPOSITORY = "repository"


def powers_of(ground: Ground) -> tuple[str, ...]:
    """What the repository's settings and agent definitions name, one line each."""
    return tuple(clean(line) for line in _powers(ground))


def _powers(ground: Ground) -> Iterator[str]:
    content = repository_settings(ground.repository.top_level)
    for path in _POWERS:
        value: object = content
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value:
            shown = json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
            yield f"{REPOSITORY_FILE}: {'.'.join(path)}: {shown}"
    for agent in sorted(ground.library.agents.values(), key=lambda one: one.name):
        if agent.layer != _REPOSITORY:
            continue
        place = Path(agent.path).name
        if agent.argv:
            yield f"{place}: the agent {agent.name} is the command {json.dumps(agent.argv)}"
        if agent.permissions is not None and agent.permissions.allow:
            allowed = json.dumps(agent.permissions.allow)
            yield f"{place}: the agent {agent.name} may {allowed} without a question"


async def check_trust(ground: Ground, *, trusts: bool = False) -> None:
    """Raise UntrustedError unless the user trusts the repository; `trusts` says that they do."""
    named = powers_of(ground)
    if not named:
        return
    store = TrustStore(state_home() / "pex-tui")
    digest = digest_of(ground.repository.common_dir, named)
    if trusts:
        await asyncio.to_thread(store.add, digest)
    elif not await asyncio.to_thread(store.holds, digest):
        raise UntrustedError(named, lambda: store.add(digest))
