"""Lay the git directory of a workspace: a repository of its own that borrows the user's objects.

Refs, stash, reflogs, configuration, hooks and index belong to the workspace alone, so no git
command of an agent there reaches the user or another task. It is laid anew for each attempt, by
writing a few files: nothing of an earlier attempt's git directory survives, and our own git never
reads its configuration.
"""

import os
import shutil
from pathlib import Path

from pex_tui.adapters.git.isolation.agent_refs import PACKED, read_agent_refs
from pex_tui.adapters.git.plumbing.filesystem import is_folder, put_bytes, remove_tree
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.plumbing.sparse_patterns import put_patterns
from pex_tui.adapters.git.plumbing.stand_in_directory import HOOKS, SPARSE, WORKSPACE_CONFIG
from pex_tui.adapters.git.user_repository.user_refs import ShownRefs, UserRefs
from pex_tui.core.model.ids import CommitId

MARK = "pex-tui"
"""The file that marks each git directory laid by us."""
_FOLDERS = ("objects/info", "objects/pack", "refs/heads", "refs/tags", "info")
_BORROWED = ("info/attributes", "info/exclude", "shallow")
_MODULES = "modules"
_USERS = "refs/remotes/user/"


class WorkspaceRepositories:
    """Lays repositories that borrow from one of the user's, which has a stand-in."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self._refs = UserRefs(repository.git)

    async def refs(self) -> ShownRefs:
        """Return the refs that a repository laid now begins with; raise GitError or OSError."""
        return await self._refs.shown()

    def patterns(self) -> bytes | None:
        """Return the patterns of the user's sparse checkout; None if it holds all files.

        Raises OSError.
        """
        file = self._stand_in / SPARSE
        return file.read_bytes() if file.is_file() else None

    def lay(
        self, root: Path, commit: CommitId, refs: ShownRefs, *, keeps_modules: bool = False
    ) -> None:
        """Lay the git directory of the work tree at `root`, replacing what is there.

        With `keeps_modules`, the repositories of submodules survive. Raises OSError.
        """
        git_dir, stand_in = root / ".git", self._stand_in
        modules = root.with_name(f"{root.name}.{_MODULES}")
        if keeps_modules and is_folder(git_dir) and is_folder(git_dir / _MODULES):
            remove_tree(modules)
            (git_dir / _MODULES).rename(modules)
        remove_tree(git_dir)
        for name in _FOLDERS:
            (git_dir / name).mkdir(parents=True)
        _put(git_dir / "config", (stand_in / WORKSPACE_CONFIG).read_bytes())
        _put(git_dir / "packed-refs", os.fsencode(refs.packed))
        _put(initial_refs(root), os.fsencode(refs.packed))
        for name, target in refs.symbolic.items():
            put_bytes(git_dir / name, os.fsencode(f"ref: {target}\n"))
        for name in _BORROWED:
            if (stand_in / name).is_file():
                _put(git_dir / name, (stand_in / name).read_bytes())
        patterns = self.patterns()
        if patterns is not None:
            put_patterns(git_dir, patterns)
        _put(git_dir / "objects/info/alternates", _alternates(self._common / "objects"))
        shutil.copytree(stand_in / HOOKS, git_dir / "hooks")
        if is_folder(modules):
            modules.rename(git_dir / _MODULES)
        else:
            _lay_modules(self._common / _MODULES, git_dir / _MODULES)
        _put(git_dir / MARK, b"")
        # Written last: without a HEAD it is no git directory.
        _put(git_dir / "HEAD", f"{commit}\n".encode())

    @property
    def _common(self) -> Path:
        return self.repository.common_dir

    @property
    def _stand_in(self) -> Path:
        if self.repository.stand_in is None:
            raise ValueError("workspaces are made of a repository whose settings are pinned")
        return self.repository.stand_in


def initial_refs(root: Path) -> Path:
    """Return a copy of the initial refs, out of the agent's reach."""
    return root.with_name(f"{root.name}.shadow") / "laid-refs"


def _lay_modules(source: Path, target: Path) -> None:
    """Lay submodule repositories as the user has them, so that a submodule needs no network."""
    if not is_folder(source):
        return
    if not (source / "HEAD").is_file():
        for folder in source.iterdir():
            _lay_modules(folder, target / folder.name)
        return
    for name in ("objects/info", "objects/pack", "refs/heads", "refs/tags"):
        (target / name).mkdir(parents=True)
    for name in ("config", "shallow"):
        if (source / name).is_file():
            _put(target / name, (source / name).read_bytes())
    found = read_agent_refs(source)
    # Objects that only the user has were not made by the agent, so they count as a remote's.
    known = {name.replace("refs/heads/", _USERS): oid for name, oid in found.refs.items()}
    known |= {f"{_USERS}HEAD": found.head} if found.head else {}
    _put(target / PACKED, os.fsencode("".join(f"{oid} {name}\n" for name, oid in known.items())))
    _put(target / "objects/info/alternates", _alternates(source / "objects"))
    _lay_modules(source / _MODULES, target / _MODULES)
    _put(target / "HEAD", b"ref: refs/heads/main\n")


def _alternates(objects: Path) -> bytes:
    """Return the line that borrows the objects."""
    return quoted_path(objects) + b"\n"


def quoted_path(path: Path, separator: str = "\n") -> bytes:
    """Return a path for a list of object stores, C-quoted if git would misread it."""
    raw = os.fsencode(path)
    if not (b"\n" in raw or separator.encode() in raw or raw.startswith((b'"', b"#"))):
        return raw
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def _put(path: Path, content: bytes) -> None:
    path.write_bytes(content)
