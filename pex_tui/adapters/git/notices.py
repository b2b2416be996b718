"""What a user should be told of a repository before agents work in copies of it."""

import os
import shutil
from pathlib import Path

from pex_tui.adapters.git.repository import Repository

_LANDING_HOOKS = (
    "pre-commit",
    "prepare-commit-msg",
    "commit-msg",
    "post-commit",
    "pre-merge-commit",
)


async def notices(repository: Repository) -> tuple[str, ...]:
    """One sentence for each thing that works differently in workspaces; raise GitError."""
    found = (
        await _lfs_notice(repository),
        await _submodule_notice(repository),
        await _hook_notice(repository),
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
            "workspaces hold pointers in their place."
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


async def _hooks_folder(repository: Repository) -> Path:
    """Where the user's hooks are: our own git has its hooks switched off on the command line."""
    answer = await repository.checkout.run(
        *("config", "--null", "--type=path", "--get-all", "core.hooksPath"), ok=(0, 1)
    )
    configured = os.fsdecode(answer.stdout).split("\0")[:-2]  # the last one is ours
    if configured:
        return repository.top_level / configured[-1]
    return repository.common_dir / "hooks"
