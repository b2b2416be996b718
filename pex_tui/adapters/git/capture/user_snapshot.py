"""The user's uncommitted work as a commit, without touching the user's index or files."""

import tempfile
from pathlib import Path

from pex_tui.adapters.git.capture.snapshot import Extras, Label, keep_snapshot
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError
from pex_tui.adapters.git.plumbing.shadow_index import ShadowIndex, seed_shadow, shadow_in
from pex_tui.core.model.ids import CommitId
from pex_tui.core.sanitize import clean

_MESSAGE = "Uncommitted work that a run started from\n"


async def snapshot_uncommitted(repository: Repository, ref: str) -> CommitId:
    """Commit tracked and untracked (not ignored) work on HEAD, under the ref.

    Returns HEAD itself if everything is committed. Raises RepositoryError.
    """
    head = await repository.head()
    identity = await repository.check_identity()
    label = Label(_MESSAGE, ref, identity.environment)
    with tempfile.TemporaryDirectory(prefix="pex-tui-") as folder:
        try:
            shadow = await _shadow(repository, Path(folder), head)
            kept = await keep_snapshot(shadow, Extras(), label)
        except (GitError, OSError) as error:
            raise RepositoryError(
                f"Your uncommitted work can't be included: {clean(str(error))}. "
                "Commit it, or run without --include-uncommitted."
            ) from error
    return kept.commit if kept else head


async def _shadow(repository: Repository, folder: Path, head: CommitId) -> ShadowIndex:
    shadow = shadow_in(folder, repository.top_level, head, repository.git)
    try:
        seed_shadow(folder, repository.git_dir, repository.git, head)
    except FileNotFoundError:  # there is no index: nothing is known of the files
        await shadow.forget_index()
    return shadow
