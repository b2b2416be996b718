"""Predict a plan's conflicts from the repository's history, indexed between commands."""

import asyncio
from collections.abc import Collection
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.user_repository.past_changes import MOST_CHANGES, past_changes
from pex_tui.adapters.storage.change_index_file import StoredIndex, load_index, store_index
from pex_tui.core.model.ids import CommitId
from pex_tui.core.model.plan import Plan
from pex_tui.planning.prediction.change_index import Change, ChangeIndex
from pex_tui.planning.prediction.prediction_model import read_model
from pex_tui.planning.prediction.predictor import ConflictPredictor
from pex_tui.resources import shipped


class RepositoryPredictor(Struct):
    """Predicts for the plans of one repository; reads its history again if HEAD has moved."""

    repository: Repository
    folder: Path
    _known: ConflictPredictor | None = None
    _tip: CommitId | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def predict(self, plan: Plan, tracked: Collection[str]) -> Plan:
        """Return the plan with the predictions for its tasks.

        Unchanged if git cannot read the history.
        """
        try:
            async with self._turn:
                predictor = await self._read_history(tracked)
                found = await asyncio.to_thread(predictor.predict, plan.tasks)
        except (GitError, OSError):
            return plan
        return replace(plan, collisions=found, past_changes=len(predictor.index))

    async def _read_history(self, tracked: Collection[str]) -> ConflictPredictor:
        tip = await self.repository.head()
        if self._known is None or self._tip != tip:
            path = self.folder / "changes.index"
            stored = await asyncio.to_thread(load_index, path)
            since = stored.tip if stored else None
            index = stored.index if stored else ChangeIndex()
            if since != tip:
                found = await past_changes(self.repository.git, tip, since)
                if len(index) + len(found) > 2 * MOST_CHANGES:
                    index, found = ChangeIndex(), await past_changes(self.repository.git, tip, None)
                await asyncio.to_thread(_learn, path, index, found, tip, tracked)
            self._known = ConflictPredictor(
                index, read_model(shipped("config") / "foresight.json"), tracked
            )
            self._tip = tip
        return self._known


def _learn(
    path: Path, index: ChangeIndex, found: list[Change], tip: CommitId, tracked: Collection[str]
) -> None:
    for change in found:
        index.add(change)
    index.keep_only(tracked)
    store_index(path, StoredIndex(index, tip))
