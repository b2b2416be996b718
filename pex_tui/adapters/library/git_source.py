"""Read the files of one commit of another repository from git's objects, without a checkout.

Without a checkout, no hook, filter, submodule or symbolic link of that repository has any effect.
"""

import re
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import Git, GitError, ask_git
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.source_address import (
    FOLDERS,
    MOST_BYTES,
    GitAddress,
    LeftOut,
    SourceFile,
    SourceFiles,
    SourceOrigin,
    chosen,
)

_FETCH_SECONDS = 300.0
_MOST_SAID_BYTES = 1 << 16
_PROTOCOLS = {"GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh"}
_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_FULL = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REGULAR = frozenset({"100644", "100755"})
_LINK = "120000"
_MOST_LISTED_BYTES = 16 * 1024 * 1024


async def fetch_definitions(address: GitAddress) -> SourceFiles:
    """Return the definitions in the commit of the address.

    Raises UserError, also if the address names no commit.
    """
    with tempfile.TemporaryDirectory(prefix="pex-agents-") as folder:
        git = Git(Path(folder) / "source.git")
        await ask_git(Path(folder), "init", "-q", "--bare", "--template=", str(git.git_dir))
        if address.revision is None:
            raise UserError(
                f"{clean(address.url)} names no commit, and a source is pinned to one. "
                f"To take what it holds now: {_pinned(address, await _head(git, address))}"
            )
        origin = await _fetch(git, address, address.revision)
        return await _files(git, origin)


async def _head(git: Git, address: GitAddress) -> str:
    try:
        answer = await git.run(
            *("ls-remote", "--", address.url, "HEAD"),
            env=_PROTOCOLS,
            timeout_seconds=_FETCH_SECONDS,
            most_bytes=_MOST_SAID_BYTES,
            ends_with_us=True,
        )
    except GitError as error:
        raise _unreachable(address, error) from error
    return answer.text.partition("\t")[0] or "COMMIT"


async def _fetch(git: Git, address: GitAddress, revision: str) -> SourceOrigin:
    """Fetch only the commit if the server allows it, otherwise everything."""
    if _FULL.fullmatch(revision.lower()) is not None:
        try:
            await _take(git, "--depth=1", "--", address.url, revision.lower())
        except GitError:
            pass  # a server may allow only commits of branches and tags
        else:
            return await _origin(git, address, revision)
    try:
        every = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        await _take(git, "--", address.url, *every)
    except GitError as error:
        raise _unreachable(address, error) from error
    return await _origin(git, address, revision)


async def _take(git: Git, *args: str) -> None:
    await git.run(
        *("fetch", "--quiet", "--no-auto-maintenance", "--no-write-fetch-head"),
        *("--no-recurse-submodules", "--no-tags"),
        *args,
        env=_PROTOCOLS,
        timeout_seconds=_FETCH_SECONDS,
        most_bytes=_MOST_SAID_BYTES,
        ends_with_us=True,
    )


async def _origin(git: Git, address: GitAddress, revision: str) -> SourceOrigin:
    wanted = revision.lower()
    if _COMMIT.fullmatch(wanted) is not None:
        commit = await _commit(git, wanted)
        if commit is not None and commit.startswith(wanted):
            return SourceOrigin(address.url, commit)
    tagged = await _commit(git, f"refs/tags/{revision}")
    if tagged is not None:
        return SourceOrigin(address.url, tagged, revision)
    branch = await _commit(git, f"refs/heads/{revision}")
    if branch is not None:
        raise UserError(
            f'"{clean(revision)}" is a branch, which moves. '
            f"To take what it holds now: {_pinned(address, branch)}"
        )
    raise UserError(
        f'"{clean(revision)}" names no commit of {clean(address.url)}. Name one by at least seven '
        "figures, or a tag."
    )


async def _commit(git: Git, name: str) -> str | None:
    answer = await git.run(
        *("rev-parse", "-q", "--verify", "--end-of-options", f"{name}^{{commit}}"),
        ok=(0, 1, 128),
    )
    return answer.text if answer.status == 0 else None


async def _files(git: Git, origin: SourceOrigin) -> SourceFiles:
    entries = {path: entry async for path, *entry in _listed(git, origin)}
    files, left_out = [], []
    for path in chosen(entries):
        mode, kind, name, size = entries[path]
        if mode == _LINK:
            left_out.append(LeftOut(path, "it is a link, and only regular files are accepted"))
        elif kind != "blob" or mode not in _REGULAR:
            left_out.append(LeftOut(path, "it is not a regular file"))
        elif int(size) > MOST_BYTES:
            left_out.append(LeftOut(path, f"it is larger than {MOST_BYTES // 1024} KB"))
        else:
            answer = await git.run("cat-file", "blob", name, most_bytes=MOST_BYTES)
            files.append(SourceFile(path, answer.stdout))
    return SourceFiles(origin, tuple(files), tuple(left_out))


async def _listed(git: Git, origin: SourceOrigin) -> AsyncIterator[tuple[str, str, str, str, str]]:
    """Yield path, mode, kind, object and size of possible definitions."""
    commit = str(origin.commit)
    for args in (("-r", "-l", "-z", commit, "--", *FOLDERS), ("-l", "-z", commit)):
        answer = await git.run("ls-tree", *args, most_bytes=_MOST_LISTED_BYTES)
        if len(answer.stdout) > _MOST_LISTED_BYTES:
            raise UserError("The source holds too many files to list.")
        for row in answer.stdout.decode("utf-8", "replace").split("\0"):
            about, tab, path = row.partition("\t")
            if tab:
                mode, kind, name, size = about.split()
                yield path, mode, kind, name, size


def _pinned(address: GitAddress, commit: str) -> str:
    return f"pex-tui agents add {clean(address.url)}@{commit}"


def _unreachable(address: GitAddress, error: GitError) -> UserError:
    said = next((line for line in error.stderr.splitlines() if "fatal:" in line), str(error))
    reason = clean(said.strip().removeprefix("fatal: ").rstrip("."))
    return UserError(
        f"{clean(address.url)} can't be fetched: {reason}. Check the address and your access to it."
    )
