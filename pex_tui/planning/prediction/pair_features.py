"""Features of a pair of tasks for the probability of a conflict.

They compare the files that each will probably change, the words of both texts and, if both declare
write sets, their globs.
"""

import math
from collections import defaultdict
from collections.abc import Mapping

from msgspec import Struct

from pex_tui.core.globs.globs import overlap, plain_start
from pex_tui.planning.prediction.change_index import ChangeIndex
from pex_tui.planning.prediction.likely_files import LikelyFiles

TEXT_FEATURES = (
    "bias",
    "files",  # cosine of the files' probabilities
    "words",  # cosine of the words' weights
    "logs",  # log of the chance that both change the same change log or lock file
    "hub",  # log of the greatest chance that both change one file, by that file's heat
    "folders",  # cosine of the probabilities by folder, times log of the chance of any common file
    "length",  # log of the shorter text's length
)
GLOB_FEATURES = (
    *TEXT_FEATURES,
    "any",  # log of the chance that both change the same declared file
    "globs",  # log of the number of overlapping pairs of globs
    "narrow",  # one over the number of files in the narrowest of these
    "declared",  # log of the number of globs that both have
    "log_globs",  # these include a change log or lock file
    "heat",  # log of the heat of the hottest file that both name exactly
)
_LEAST = 1e-4
_DOUBT = 0.05
_WORTH_NAMING = 0.01
_LOGS = ("change", "news", "history", "release")
_LOCKS = frozenset({"go.sum", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml"})


class ExpectedChanges(Struct, frozen=True):
    """Expectations of a task before it runs; `globs` are its declared write set, else None."""

    likely: LikelyFiles
    globs: tuple[str, ...] | None = None


class RepositoryFiles(Struct, frozen=True):
    """The repository's files: their history, and the number of files below each folder.

    Folder names have no trailing slash; "" is the top.
    """

    index: ChangeIndex
    sizes: Mapping[str, int]

    def heat_of(self, path: str) -> float:
        """Return the file's heat over the longer half-life."""
        number = self.index.numbers.get(path)
        return self.index.heats[number].levels_at(len(self.index))[-1] if number is not None else 0


def text_features(
    left: ExpectedChanges, right: ExpectedChanges, repository: RepositoryFiles
) -> tuple[float, ...]:
    """Return the values of TEXT_FEATURES."""
    both = _in_common(left.likely.files, right.likely.files)
    one_folder, other_folder = _by_folder(left.likely.files), _by_folder(right.likely.files)
    return (
        1.0,
        _cosine(left.likely.files, right.likely.files, _DOUBT),
        _cosine(left.likely.words, right.likely.words),
        _log(_any({path: chance for path, chance in both.items() if _is_log(path)})),
        _log(
            max((chance * repository.heat_of(path) for path, chance in both.items()), default=0.0)
        ),
        _cosine(one_folder, other_folder, _DOUBT) * _log(_any(both)),
        math.log1p(min(left.likely.length, right.likely.length)),
    )


def glob_features(
    left: ExpectedChanges, right: ExpectedChanges, repository: RepositoryFiles
) -> tuple[float, ...]:
    """Return the values of GLOB_FEATURES for two tasks with declared write sets."""
    first, second = left.globs or (), right.globs or ()
    shared = [(one, other) for one in first for other in second if overlap(one, other)]
    plain = {one for one, other in shared if one == other}
    heats = [repository.heat_of(path) for path in plain]
    return (
        *text_features(left, right, repository),
        _log(_any(_in_common(left.likely.files, right.likely.files))),
        math.log1p(len(shared)),
        max((1.0 / (1.0 + _size(repository, *pair)) for pair in shared), default=0.0),
        math.log1p(len(first)) + math.log1p(len(second)),
        float(any(_is_log(path) for path in plain)),
        math.log1p(max(heats, default=0.0)),
    )


def common_file(left: ExpectedChanges, right: ExpectedChanges) -> str | None:
    """Return the file that both will most probably change, if any."""
    both = _in_common(left.likely.files, right.likely.files)
    best = max(both, key=lambda path: both[path], default=None)
    return best if best is not None and both[best] >= _WORTH_NAMING else None


def _in_common(left: Mapping[str, float], right: Mapping[str, float]) -> dict[str, float]:
    """Return the chance that both change a file, for the files that both may change."""
    return {path: left[path] * right[path] for path in left.keys() & right.keys()}


def _any(chances: Mapping[str, float]) -> float:
    return 1.0 - math.prod(1.0 - chance for chance in chances.values())


def _by_folder(files: Mapping[str, float]) -> dict[str, float]:
    found: defaultdict[str, float] = defaultdict(float)
    for path, chance in files.items():
        found[path.rpartition("/")[0]] += chance
    return found


def _cosine(left: Mapping[str, float], right: Mapping[str, float], doubt: float = 0.0) -> float:
    """Return the cosine of two vectors; `doubt` reduces it for short ones."""
    both = sum(left[key] * right[key] for key in left.keys() & right.keys())
    length = math.hypot(*left.values()) * math.hypot(*right.values()) + doubt
    return both / length if length else 0.0


def _log(chance: float) -> float:
    return math.log(chance + _LEAST)


def _is_log(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    return name.startswith(_LOGS) or name.endswith(".lock") or name in _LOCKS


def _size(repository: RepositoryFiles, *globs: str) -> int:
    """Return the number of files that the narrowest of the globs may match."""
    return min(repository.sizes.get("/".join(plain_start(glob)), 1) for glob in globs)
