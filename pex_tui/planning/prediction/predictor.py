"""Foresees, for a plan's tasks, which two would collide if they ran side by side."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import combinations

from pex_tui.core.model.globs import any_overlap, matches
from pex_tui.core.model.plan import Collision, TaskSpec
from pex_tui.planning.plan_file.predictable_tasks import LITTLE_HISTORY, MOST_TASKS, is_foreseeable
from pex_tui.planning.prediction.change_index import ChangeIndex
from pex_tui.planning.prediction.likely_files import Likely, likely_files
from pex_tui.planning.prediction.pair_features import (
    Outlook,
    Terrain,
    common_file,
    glob_features,
    text_features,
)
from pex_tui.planning.prediction.prediction_model import ForesightModel

LEAST_CHANCE = 0.05  # pairs below it are not told of
_MOST_KEPT = 1000  # texts whose outlook is remembered


class Foresight:
    """What the past of a repository says of tasks to come. `tracked` are the files that exist."""

    def __init__(
        self, index: ChangeIndex, model: ForesightModel, tracked: Collection[str] = ()
    ) -> None:
        self.index = index
        self.model = model
        self.tracked = tracked
        index.keep_only(tracked)
        sizes: Counter[str] = Counter()
        for path in tracked:
            sizes[path] = 1
            sizes[""] += 1
            sizes.update(path[:end] for end, mark in enumerate(path) if mark == "/")
        self.terrain = Terrain(index, sizes)
        self._known: dict[str, Likely] = {}

    def collisions(self, tasks: Sequence[TaskSpec]) -> tuple[Collision, ...]:
        """Pairs that may collide, the probable ones first; none for a very large plan."""
        writers = [spec for spec in tasks if is_foreseeable(spec)]
        if len(writers) > MOST_TASKS:
            return ()
        seen = {spec.id: self._outlook(spec) for spec in writers}
        found = []
        for left, right in combinations(writers, 2):
            if not (left.writes and right.writes and not any_overlap(left.writes, right.writes)):
                chance = self.chance(seen[left.id], seen[right.id])
                if chance >= LEAST_CHANCE:
                    reason = self._reason(seen[left.id], seen[right.id])
                    found.append(Collision(left.id, right.id, round(chance, 3), reason))
        return tuple(sorted(found, key=lambda one: -one.chance))

    def outlook(self, text: str, globs: tuple[str, ...] | None = None) -> Outlook:
        """What is to be expected of a task of that text, within its globs if it declares any."""
        likely = self._known.get(text)
        if likely is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            likely = self._known[text] = likely_files(self.index, text, self.model.files)
        if globs is None:
            return Outlook(likely)
        within = {
            path: chance
            for path, chance in likely.files.items()
            if any(matches(glob, path) for glob in globs)
        }
        return Outlook(Likely(within, likely.words, likely.length), globs)

    def chance(self, left: Outlook, right: Outlook) -> float:
        """Return the probability that the two collide."""
        if left.globs and right.globs:
            return self.model.globs.chance(glob_features(left, right, self.terrain))
        return self.model.texts.chance(text_features(left, right, self.terrain))

    def _outlook(self, spec: TaskSpec) -> Outlook:
        return self.outlook(spec.prompt, spec.writes)

    def _reason(self, left: Outlook, right: Outlook) -> str:
        """What speaks for it, for a person."""
        basis = "" if len(self.index) >= LITTLE_HISTORY else " (a guess: there is little history)"
        path = common_file(left, right)
        if path is not None:
            return f"both will probably change {path}{basis}"
        return f"their descriptions are about the same{basis}"
