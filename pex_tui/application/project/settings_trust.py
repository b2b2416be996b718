"""The user's trust in programs and permissions that a repository's own files name."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from pex_tui.adapters.git.user_repository.state_directory import state_home
from pex_tui.adapters.storage.trust_store import TrustStore, digest_of
from pex_tui.application.project.project import Project
from pex_tui.core.sanitize import clean
from pex_tui.errors import UntrustedError
from pex_tui.planning.fields.declaration import keys_of
from pex_tui.settings.load import (
    REPOSITORY_FILE,
    Settings,
    load_settings,
    read_settings,
    repository_settings,
)
from pex_tui.settings.setting import Trust, setting_of

_REPOSITORY = "repository"


def powers_of(project: Project) -> tuple[str, ...]:
    """Return what the repository's settings and agent definitions name, one line each."""
    return tuple(clean(line) for line in _powers(project))


def _powers(project: Project) -> Iterator[str]:
    content = repository_settings(project.repository.top_level)
    own = read_settings(content)
    below = load_settings(None, (), project.environ)  # the user's own, without the repository
    for path, declared in sorted(keys_of(Settings), key=lambda key: key[0]):
        if setting_of(declared).trust is None:
            continue
        asked, usual = _value(own, path), _value(below, path)
        is_wider = _is_more if setting_of(declared).trust is Trust.COST else _is_other
        for value in _made(content, path):
            if is_wider(asked, usual):
                is_text = isinstance(value, str)
                shown = value if is_text else json.dumps(value, ensure_ascii=False, sort_keys=True)
                yield f"{REPOSITORY_FILE}: {'.'.join(path)}: {shown}"
    for agent in sorted(project.library.agents.values(), key=lambda one: one.name):
        if agent.layer != _REPOSITORY:
            continue
        place = Path(agent.path).name
        if agent.argv:
            yield f"{place}: the agent {agent.name} is the command {json.dumps(agent.argv)}"
        if agent.permissions is not None and agent.permissions.allow:
            allowed = json.dumps(agent.permissions.allow)
            yield f"{place}: the agent {agent.name} may {allowed} without a question"


def _made(content: Any, path: Sequence[str]) -> tuple[Any, ...]:
    """Return the value that the file gives the setting, or nothing."""
    for key in path:
        if not isinstance(content, dict) or key not in content:
            return ()
        content = content[key]
    return (content,)


def _value(settings: Any, path: Sequence[str]) -> Any:
    return reduce(getattr, path, settings)


def _is_other(asked: Any, usual: Any) -> bool:
    return bool({**usual, **asked} != usual if isinstance(asked, dict) else asked != usual)


def _is_more(asked: float | None, usual: float | None) -> bool:
    return usual is not None and (asked is None or asked > usual)


async def check_trust(project: Project, *, trusts: bool = False) -> None:
    """Raise UntrustedError unless the user trusts the repository; `trusts` grants the trust now."""
    named = powers_of(project)
    if not named:
        return
    store = TrustStore(state_home() / "pex-tui")
    digest = digest_of(project.repository.common_dir, named)
    if trusts:
        await asyncio.to_thread(store.add, digest)
    elif not await asyncio.to_thread(store.holds, digest):
        raise UntrustedError(named, lambda: store.add(digest))
