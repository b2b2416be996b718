"""Fetch files that a partial clone left with its remote before a run starts, or refuse the run."""

from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.repository import Repository, RepositoryError
from pex_tui.core.formatting import counted
from pex_tui.core.model.ids import CommitId


async def fetch_promised(repository: Repository, commit: CommitId) -> None:
    """Fetch all files of the commit at once; raise RepositoryError if that fails.

    Otherwise every checkout of every attempt would request them from the remote, or fail.
    """
    git = repository.git
    remotes = await git.run("config", "--get-regexp", r"^remote\..*\.promisor$", ok=(0, 1))
    if not remotes.stdout:
        return
    remote = remotes.text.split(".promisor", 1)[0].removeprefix("remote.")
    listing = await git.text(
        "rev-list", "--objects", "--no-walk", "--missing=print", f"{commit}^{{tree}}"
    )
    missing = [line[1:] for line in listing.split("\n") if line.startswith("?")]
    if not missing:
        return
    try:
        await git.run(
            *("-c", "fetch.negotiationAlgorithm=noop", "fetch", "-q", "--no-tags"),
            *("--no-write-fetch-head", "--no-recurse-submodules", "--filter=blob:none"),
            *("--stdin", remote),
            stdin="".join(f"{oid}\n" for oid in missing).encode(),
        )
    except GitError:
        files = counted(len(missing), "file")
        raise RepositoryError(
            f"This is a partial clone: {files} of {commit[:10]} are still with the remote "
            f"{remote}, which can't be reached. Connect, then run again."
        ) from None
