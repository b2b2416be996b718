"""Notices about a repository for the user, before agents work in copies of it."""

import os
import shutil
from pathlib import Path

from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.plumbing.repository import Repository
from pex_tui.adapters.git.plumbing.sparse_patterns import read_patterns

_LANDING_HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-merge-commit",
)


async def repository_notices(repository: Repository) -> tuple[str, ...]:
    """Return one sentence for each thing that works differently in workspaces; raise GitError."""
    found = (
        await _lfs_notice(repository),
        await _submodule_notice(repository),
        await _hook_notice(repository),
        await _sparse_notice(repository),
        await signing_notice(repository.checkout),
    )
    return tuple(notice for notice in found if notice)


async def _lfs_notice(repository: Repository) -> str:
    attributes = await repository.checkout.run(
        *("grep", "-q", "-I", "-F", "-e", "filter=lfs", "HEAD"),
        *("--", ":(top,glob)**/.gitattributes"),
        ok=(0, 1),
    )
    if attributes.status != 0:
        return ""
    if shutil.which("git-lfs") is None:
        return (
            "This repository keeps files in Git LFS, but git-lfs is not installed: "
            "workspaces hold pointers in their place, and what tasks add lands as plain files."
        )
    return (
        "This repository keeps files in Git LFS: each workspace checks them out with git-lfs, "
        "which may download what is not in its cache."
    )


async def _submodule_notice(repository: Repository) -> str:
    answer = await repository.checkout.run("cat-file", "-e", "HEAD:.gitmodules", ok=(0, 1, 128))
    if answer.status != 0:
        return ""
    return (
        "This repository has submodules: they are left uninitialised in workspaces, unless "
        "`workspaces.setup` runs `git submodule update --init`."
    )


async def _hook_notice(repository: Repository) -> str:
    folder = await _hooks_folder(repository)
    hooks = [name for name in _LANDING_HOOKS if os.access(folder / name, os.X_OK)]
    if not hooks:
        return ""
    return (
        f"Git hooks ({', '.join(hooks)}) are not run when work lands; "
        "put what they check into `verify`."
    )


async def _sparse_notice(repository: Repository) -> str:
    if await user_setting(repository.checkout, "core.sparseCheckout", "bool") != "true":
        return ""
    if read_patterns(repository.git_dir) is not None:
        return ""
    return (
        "Your checkout is sparse, but its patterns (`info/sparse-checkout`) can't be read: "
        "workspaces hold all files of the commit."
    )


async def signing_notice(checkout: Git) -> str:
    """Return a notice that landings are not signed, if the user signs commits; raise GitError."""
    if await user_setting(checkout, "commit.gpgSign", "bool") != "true":
        return ""
    return (
        "`commit.gpgsign` is on, and commits that land are not signed, as nobody may be there to "
        "unlock the key: `git rebase -S --force-rebase COMMIT` signs those after COMMIT."
    )


async def user_setting(checkout: Git, name: str, kind: str) -> str:
    """Return the user's own setting, regardless of our options; empty if it is not set."""
    command = ("config", "--null", f"--type={kind}", "--show-scope", "--get-all", name)
    answer = await checkout.run(*command, ok=(0, 1))
    tokens = os.fsdecode(answer.stdout).split("\0")
    pairs = zip(tokens[::2], tokens[1::2], strict=False)
    told = [text for scope, text in pairs if scope != "command"]
    return told[-1] if told else ""


async def _hooks_folder(repository: Repository) -> Path:
    """Return the folder of the user's hooks: our own git has hooks disabled by an option."""
    configured = await user_setting(repository.checkout, "core.hooksPath", "path")
    if configured:
        return repository.top_level / configured
    return repository.common_dir / "hooks"
