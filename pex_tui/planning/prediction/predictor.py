"""Prediction of conflicts between tasks of a plan that run in parallel."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import combinations

from pex_tui.core.globs.globs import first_intersection, matches
from pex_tui.core.model.plan import PredictedConflict, TaskSpec
from pex_tui.planning.plan_file.predictable_tasks import LITTLE_HISTORY, MOST_TASKS, is_predictable
from pex_tui.planning.prediction.change_index import ChangeIndex
from pex_tui.planning.prediction.likely_files import LikelyFiles, likely_files
from pex_tui.planning.prediction.pair_features import (
    ExpectedChanges,
    RepositoryFiles,
    common_file,
    glob_features,
    text_features,
)
from pex_tui.planning.prediction.prediction_model import PredictionModel

LEAST_CHANCE = 0.05  # less probable pairs are not reported
_MOST_KEPT = 1000  # texts with a cached outlook


class ConflictPredictor:
    """Predictor trained on a repository's history. `tracked` are the files that exist."""

    def __init__(
        self, index: ChangeIndex, model: PredictionModel, tracked: Collection[str] = ()
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
        self.repository = RepositoryFiles(index, sizes)
        self._known: dict[str, LikelyFiles] = {}

    def predict(self, tasks: Sequence[TaskSpec]) -> tuple[PredictedConflict, ...]:
        """Return the pairs that may conflict, most probable first; none for a very large plan."""
        writers = [spec for spec in tasks if is_predictable(spec)]
        if len(writers) > MOST_TASKS:
            return ()
        seen = {spec.id: self._expected(spec) for spec in writers}
        found = []
        for left, right in combinations(writers, 2):
            if not (
                left.writes and right.writes and not first_intersection(left.writes, right.writes)
            ):
                chance = self.chance(seen[left.id], seen[right.id])
                if chance >= LEAST_CHANCE:
                    reason = self._reason(seen[left.id], seen[right.id])
                    found.append(PredictedConflict(left.id, right.id, round(chance, 3), reason))
        return tuple(sorted(found, key=lambda one: -one.chance))

    def expected_changes(self, text: str, globs: tuple[str, ...] | None = None) -> ExpectedChanges:
        """Return the expectations of a task by its text, within its globs if declared."""
        likely = self._known.get(text)
        if likely is None:
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            likely = self._known[text] = likely_files(self.index, text, self.model.files)
        if globs is None:
            return ExpectedChanges(likely)
        within = {
            path: chance
            for path, chance in likely.files.items()
            if any(matches(glob, path) for glob in globs)
        }
        return ExpectedChanges(LikelyFiles(within, likely.words, likely.length), globs)

    def chance(self, left: ExpectedChanges, right: ExpectedChanges) -> float:
        """Return the probability that the two conflict."""
        if left.globs and right.globs:
            return self.model.globs.chance(glob_features(left, right, self.repository))
        return self.model.texts.chance(text_features(left, right, self.repository))

    def _expected(self, spec: TaskSpec) -> ExpectedChanges:
        return self.expected_changes(spec.prompt, spec.writes)

    def _reason(self, left: ExpectedChanges, right: ExpectedChanges) -> str:
        """Return the evidence for a prediction, for a person."""
        basis = "" if len(self.index) >= LITTLE_HISTORY else " (a guess: there is little history)"
        path = common_file(left, right)
        if path is not None:
            return f"both will probably change {path}{basis}"
        return f"their descriptions are about the same{basis}"
