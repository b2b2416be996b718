"""Git settings in force in a repository, read once and stored for later use.

Agents may write any configuration file that the user may write. Our own git, and each workspace,
uses only the settings read here before the first agent runs.
"""

import os
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from pex_tui.adapters.git.plumbing.git_runner import Git

_OF_THE_COMMAND = "command"
_OF_THE_REPOSITORY = frozenset({"local", "worktree"})
# Keys that locate or watch a repository: each repository of ours sets its own.
_PLACES = frozenset(
    {
        *("core.bare", "core.fsmonitor", "core.untrackedcache", "core.worktree"),
        *("extensions.worktreeconfig", "include.path", "lfs.storage"),
    }
)
# A workspace gets these only if it has patterns.
_SPARSE = frozenset({"core.sparsecheckout", "core.sparsecheckoutcone", "index.sparse"})
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\b": "\\b"})
_NO_PATH = re.compile(r"[^/]*:")  # `host:path`, `https://…`, `ext::…`


class GitSetting(Struct, frozen=True):
    """One entry; `key` as git writes it, `text` None if there is no value (meaning "true").

    `is_included` marks an entry from a conditionally included file.
    """

    key: str
    text: str | None
    scope: str = "local"
    is_included: bool = False

    @property
    def is_of_repository(self) -> bool:
        """True if the entry is the repository's, not the user's or the machine's."""
        return self.scope in _OF_THE_REPOSITORY


async def read_git_settings(checkout: Git) -> tuple[GitSetting, ...]:
    """Return all entries in force in the checkout, in git's order; raise GitError."""
    listing = await checkout.run("config", "--list", "-z", "--show-scope", "--show-origin")
    return _parse(os.fsdecode(listing.stdout).split("\0")[:-1])


def _parse(tokens: list[str]) -> tuple[GitSetting, ...]:
    conditional: set[Path] = set()
    found = []
    for scope, origin, entry in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=True):
        key, equals, text = entry.partition("\n")
        file = Path(origin.removeprefix("file:"))
        if key.startswith("includeif."):
            conditional.add(file.parent / Path(text).expanduser())
        if scope != _OF_THE_COMMAND:
            found.append(GitSetting(key, text if equals else None, scope, file in conditional))
    return tuple(found)


def value_of(settings: Iterable[GitSetting], key: str) -> str | None:
    """Return the effective value, None without one."""
    found = [one.text or "" for one in settings if one.key == key]
    return found[-1] if found else None


def is_true(settings: Iterable[GitSetting], key: str) -> bool:
    """Return whether the effective value is true, as git reads it."""
    found = [one.text for one in settings if one.key == key]
    if not found or found[-1] is None:
        return bool(found)
    text = found[-1].strip().lower()
    return text in {"true", "yes", "on"} or (text.lstrip("+-").isdecimal() and int(text) != 0)


def pinned_settings(settings: Iterable[GitSetting], ours: dict[str, str]) -> str:
    """Return a configuration file for our own git: all entries in force, then those of `ours`."""
    kept = (
        one
        for one in settings
        if one.key not in _PLACES and not one.key.startswith(("alias.", "includeif."))
    )
    return config_text([*kept, *_settings(ours)])


def workspace_settings(
    settings: Iterable[GitSetting], top_level: Path, ours: dict[str, str]
) -> str:
    """Return a configuration file for a workspace: the user's repository entries, then `ours`.

    The agent's git reads the user's own files itself, except for their conditional includes: the
    condition may be the place of the repository.
    """
    kept = (
        GitSetting(one.key, _from_anywhere(one, top_level))
        for one in settings
        if (one.is_of_repository or one.is_included)
        and one.key not in _PLACES | _SPARSE
        and not one.key.startswith(("gc.", "includeif.", "maintenance."))
    )
    return config_text([*kept, *_settings(ours)])


def config_text(settings: Iterable[GitSetting]) -> str:
    """Return the entries as a configuration file."""
    return "".join(_sections(settings))


def _sections(settings: Iterable[GitSetting]) -> Iterator[str]:
    by_section: Callable[[GitSetting], str] = lambda one: one.key.rpartition(".")[0]  # noqa: E731
    for section, entries in groupby(settings, by_section):
        name, dot, subsection = section.partition(".")
        quoted = subsection.replace("\\", "\\\\").replace('"', '\\"')
        yield f'[{name} "{quoted}"]\n' if dot else f"[{name}]\n"
        for one in entries:
            variable = one.key.rpartition(".")[2]
            text = "" if one.text is None else f' = "{one.text.translate(_ESCAPES)}"'
            yield f"\t{variable}{text}\n"


def _settings(ours: dict[str, str]) -> list[GitSetting]:
    return [GitSetting(key, text) for key, text in ours.items()]


def _from_anywhere(one: GitSetting, top_level: Path) -> str | None:
    """Return the value with a remote's path made absolute: git resolves it from the checkout."""
    if one.text is None or not re.fullmatch(r"remote\..*\.(push)?url", one.key, re.DOTALL):
        return one.text
    if Path(one.text).is_absolute() or _NO_PATH.match(one.text) or one.text.startswith("~"):
        return one.text
    target = top_level / one.text
    return os.path.normpath(target) if target.exists() else one.text
