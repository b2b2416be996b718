"""Submodule repositories, which live inside a workspace's own git directory and vanish with it.

Commits that an attempt made in one are fetched into the user's repository of the same submodule, so
that a pointer to them resolves once it has landed. Uncommitted work becomes a commit there.
"""

import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from pex_tui.adapters.git.plumbing.filesystem import is_folder, remove_tree
from pex_tui.adapters.git.plumbing.git_runner import WHOLE_TREE, Git, GitError, ask_git
from pex_tui.core.model.unlanded import Unlanded, Why, unlanded

MODULES = "modules"
# Commands of remotes that an agent may have configured must never run.
_ALONE = {"GIT_ALLOW_PROTOCOL": "none"}


class Submodules(Struct, frozen=True):
    """The submodules of one work tree, and the user's repositories of them in `stores`.

    Kept commits get refs that begin with `ref`, made by `identity`. `scratch` is a folder to
    create: a git directory of ours, because the agent may have written the submodule's
    configuration.
    """

    stores: Path
    root: Path
    ref: str
    scratch: Path
    identity: Mapping[str, str] = field(default_factory=dict)
    below: str = ""

    async def keep(self, git: Git, gitlinks: list[str]) -> tuple[Unlanded, ...]:
        """Keep what only the checked-out submodules among these hold; return what that was.

        `git` reads `.gitmodules` of the work tree. Raises GitError or OSError.
        """
        names = await _names(git, self.root)
        found: list[Unlanded] = []
        for path in gitlinks:
            module = _git_dir(self.root / path)
            name = names.get(path, path)
            if module is not None and ".." not in Path(name).parts:
                found += [one async for one in self._keep(path, self.stores / name, module)]
        return tuple(found)

    async def _keep(self, path: str, store: Path, module: Path) -> AsyncIterator[Unlanded]:
        where = f"{self.below}{path}/"
        source, target = Git(module, env=_ALONE), Git(store)
        head = (await source.run("rev-parse", "-q", "--verify", "HEAD", ok=(0, 1, 128))).text
        refs = {}
        for number, tip in enumerate(await _unpushed(source)):
            refs[f"{self.ref}-{number}" if number else self.ref] = tip
        if refs:
            await _fetch(target, source, refs)
            yield unlanded(Why.COMMITS, [where], f"{self.ref} in {store}")
        if not head:
            return
        edits = await self._edits(source, self.root / path, head)
        if edits:
            await _fetch(target, source, {f"{self.ref}-edits": edits})
            yield unlanded(Why.EDITS, [where], f"{self.ref}-edits in {store}")
        inner = replace(self, stores=store / MODULES, root=self.root / path, below=where)
        listing = await source.run("ls-tree", "-r", "-z", "--full-tree", head)
        for one in await inner.keep(source, _gitlinks(listing.stdout)):
            yield one

    async def _edits(self, source: Git, root: Path, head: str) -> str:
        """Return the submodule's work tree as a commit on its HEAD; empty if nothing differs."""
        remove_tree(self.scratch)
        try:
            await _make_bare(self.scratch, source)
            objects = {"GIT_OBJECT_DIRECTORY": str(source.git_dir / "objects")}
            git = Git(self.scratch, root, {**_ALONE, **objects})
            await git.run(*WHOLE_TREE, "read-tree", head)
            await git.run(*WHOLE_TREE, "add", "--all", ".")
            tree = (await git.run(*WHOLE_TREE, "write-tree")).text
            if tree == await git.text("rev-parse", f"{head}^{{tree}}"):
                return ""
            message = b"Left uncommitted in a submodule\n"
            command = ("commit-tree", tree, "-p", head, "-F", "-")
            return (await git.run(*command, stdin=message, env=self.identity)).text
        finally:
            remove_tree(self.scratch)


async def gitlinks_of(git: Git) -> list[str]:
    """Return the paths of submodules in the index; raise GitError."""
    return _gitlinks((await git.run(*WHOLE_TREE, "ls-files", "-s", "-z")).stdout)


def _gitlinks(listing: bytes) -> list[str]:
    entries = (line.partition("\t") for line in os.fsdecode(listing).split("\0"))
    return [path for head, _, path in entries if head.startswith("160000 ")]


async def _names(git: Git, root: Path) -> dict[str, str]:
    """Return the submodules' names by path, as far as `.gitmodules` has them."""
    command = ("config", "-z", "-f", str(root / ".gitmodules"), "--get-regexp")
    try:
        answer = await git.run(*command, r"^submodule\..*\.path$", ok=(0, 1))
    except GitError:
        return {}  # there is none, or git cannot read it
    entries = (entry.partition("\n") for entry in os.fsdecode(answer.stdout).split("\0"))
    return {
        path: key.removeprefix("submodule.").removesuffix(".path")
        for key, _, path in entries
        if key
    }


def _git_dir(checkout: Path) -> Path | None:
    """Return the git directory of a submodule that is checked out there."""
    link = checkout / ".git"
    if is_folder(link):
        return link
    try:
        named = link.read_text("utf-8", "surrogateescape").removeprefix("gitdir: ").rstrip("\n")
    except OSError:
        return None
    module = (checkout / named).resolve()
    return module if (module / "HEAD").is_file() else None


async def _unpushed(git: Git) -> list[str]:
    """Return commits of HEAD, branches and the stash that no remote has, those of HEAD first."""
    answer = await git.run("rev-parse", "HEAD", "--branches", "--glob=refs/stash", ok=(0, 128))
    tips = dict.fromkeys(answer.text.split()) if answer.status == 0 else {}
    return [
        tip
        for tip in tips
        if (await git.text("rev-list", "-n", "1", tip, "--not", "--remotes", "--")).strip()
    ]


async def _fetch(store: Git, source: Git, refs: Mapping[str, str]) -> None:
    """Fetch commits into the user's repository of the submodule, creating it if there is none."""
    if not (store.git_dir / "HEAD").is_file():
        await _make_bare(store.git_dir, source)
        # Without it `git submodule update` refuses the repository.
        await store.run("config", "core.bare", "false")
    await store.run(
        *("-c", "protocol.version=2", "-c", "protocol.file.allow=always", "fetch", "-q"),
        *("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--update-shallow"),
        *("--stdin", str(source.git_dir)),
        stdin="".join(f"+{commit}:{ref}\n" for ref, commit in refs.items()).encode(),
    )


async def _make_bare(git_dir: Path, like: Git) -> None:
    git_dir.parent.mkdir(parents=True, exist_ok=True)
    kind = await like.text("rev-parse", "--show-object-format")
    options = ("-q", "--bare", "--template=", f"--object-format={kind}")
    await ask_git(git_dir.parent, "init", *options, str(git_dir))


async def unpushed_submodules(git_dir: Path) -> tuple[str, ...]:
    """Return submodules with commits that no remote of theirs has; raise GitError.

    These commits vanish with the worktree: nothing in the outer repository keeps them.
    """
    found = []
    for folder in _repositories(git_dir / MODULES):
        git = Git(folder)
        alone = await git.run(
            "rev-list", "-n", "1", "--all", "HEAD", "--not", "--remotes", ok=(0, 128)
        )
        if alone.status or alone.text:
            found.append(os.fspath(folder.relative_to(git_dir / MODULES)))
    return tuple(found)


def _repositories(folder: Path) -> list[Path]:
    """Return the git directories at and below the folder.

    A submodule's name may contain slashes.
    """
    if (folder / "HEAD").is_file():
        return [folder, *_repositories(folder / MODULES)]
    if not folder.is_dir():
        return []
    return [one for entry in sorted(folder.iterdir()) for one in _repositories(entry)]
