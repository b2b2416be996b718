"""Past changes of the main line, in the form of the history index."""

import os
from collections.abc import Iterator

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.core.model.ids import CommitId
from pex_tui.planning.prediction.change_index import Change

MOST_CHANGES = 20_000
_TIMEOUT_SECONDS = 60.0
_GONE = "D"


async def past_changes(git: Git, tip: CommitId, since: CommitId | None) -> list[Change]:
    """Return changes of `tip` along first parents, oldest first, without those of `since`.

    A merge counts as one change with all that it brought. Raises GitError.
    """
    without = [f"^{since}"] if since and await _is_known(git, since) else []
    answer = await git.run(
        *("log", "--first-parent", "-m", "--no-renames", "--name-status", "-z", "--no-color"),
        *("--no-show-signature", "--no-notes", "--no-mailmap", "--no-decorate"),
        *(f"--max-count={MOST_CHANGES}", "--format=%x00%B", tip, *without, "--"),
        timeout_seconds=_TIMEOUT_SECONDS,
    )
    return list(_changes(os.fsdecode(answer.stdout).split("\0")))[::-1]


async def _is_known(git: Git, commit: CommitId) -> bool:
    answer = await git.run("cat-file", "-e", f"{commit}^{{commit}}", ok=(0, 1, 128))
    return answer.status == 0


def _changes(tokens: list[str]) -> Iterator[Change]:
    """Yield the changes of a log: an empty token, the message, then status and path alternately."""
    at = 0
    while at < len(tokens) - 1:
        text, at = tokens[at + 1], at + 2
        kept: list[str] = []
        gone: list[str] = []
        while at < len(tokens) - 1 and tokens[at]:
            (gone if tokens[at].strip() == _GONE else kept).append(tokens[at + 1])
            at += 2
        yield Change(text.strip(), tuple(kept), tuple(gone))
