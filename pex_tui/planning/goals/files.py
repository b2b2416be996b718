"""Files that a goal is probably about, besides those that it names."""

import re
from collections.abc import Mapping
from pathlib import PurePosixPath

from pex_tui.planning.goals.goal_signals import GoalSignals
from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.verbs import VERBS, word_set

_SEPARATORS = re.compile(r"[/._-]+")
_SHORTEST = 4
_MOST_MATCHES = 20
_MOST_TOLD = 3
_COMMON = word_set("test tests spec main index init code file files data page config")


def goal_files(signals: GoalSignals, outline: RepositoryOutline) -> tuple[str, ...]:
    """Return up to three tracked files with names from the goal's words, hottest first.

    A word that matches more than twenty files is ignored.
    """
    wanted = _words(signals)
    by_word: dict[str, list[str]] = {word: [] for word in wanted}
    for path in outline.files if wanted else ():
        for part in {_singular(part) for part in _SEPARATORS.split(path.casefold())}:
            if part in by_word:
                by_word[part].append(path)
    found: dict[str, int] = {}
    for paths in by_word.values():
        for path in paths if len(paths) <= _MOST_MATCHES else ():
            found[path] = found.get(path, 0) + 1
    named = set(signals.paths)
    heat = {path: place for place, path in enumerate(outline.hot)}
    ranked = sorted(found, key=lambda path: _rank(path, found, heat))
    return tuple(path for path in ranked if path not in named)[:_MOST_TOLD]


def _rank(
    path: str, found: Mapping[str, int], heat: Mapping[str, int]
) -> tuple[bool, int, int, str]:
    """Return the sort key: code before documents and data, then matching words, then heat."""
    is_code = PurePosixPath(path).suffix not in {".md", ".rst", ".txt", ".json", ".lock", ".svg"}
    return not is_code, -found[path], heat.get(path, len(heat)), path


def _words(signals: GoalSignals) -> tuple[str, ...]:
    said = {
        _singular(word.text): None
        for one in signals.clauses
        for word in one.clause.words
        if not word.is_path and not word.is_ruled_out
    }
    return tuple(
        word
        for word in said
        if len(word) >= _SHORTEST and word not in VERBS and word not in _COMMON
    )


def _singular(word: str) -> str:
    return word[:-1] if len(word) > _SHORTEST and word.endswith("s") else word
