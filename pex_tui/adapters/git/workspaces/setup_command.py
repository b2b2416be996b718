"""Run the configured setup command in a workspace: once, and again if its inputs change."""

import asyncio
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from pathlib import Path

from pex_tui.adapters.git.plumbing.bounded_command import Bounds, end_marked, run_check
from pex_tui.adapters.git.plumbing.git_runner import Git
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.core.sanitize import clean, clean_bytes
from pex_tui.engine.ports import WorkspaceError

# Files that determine what a setup installs.
_INPUTS = (
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "requirements*.txt",
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "Cargo.lock",
    "go.sum",
    "Gemfile.lock",
)
_OUTPUT_BYTES = 64 * 1024 * 1024
_TAIL_BYTES = 2000
_TAIL_LINES = 12
_MARK = "PEX_SETUP"  # the variable that marks the processes of one setup


async def setup_fingerprint(git: Git, options: WorkspaceOptions) -> str:
    """Return the digest of the setup's inputs: its command, and the lock files in the index."""
    pathspecs = [f":(top,glob)**/{name}" for name in _INPUTS]
    listing = await git.run("ls-files", "-s", "-z", "--", *pathspecs)
    command = "\0".join(options.setup_argv)
    return hashlib.sha256(os.fsencode(command) + b"\0\0" + listing.stdout).hexdigest()


async def run_setup(options: WorkspaceOptions, workspace: Path) -> None:
    """Run the command in the workspace; raise WorkspaceError with the end of its output."""
    argv = options.setup_argv
    path = options.confinement.user.get("PATH")
    if shutil.which(argv[0], path=path) is None and "/" not in argv[0]:
        raise WorkspaceError(
            f"The setup command {clean(argv[0])} was not found. "
            "Install it, or correct `workspaces.setup` in the configuration."
        )
    bounds = Bounds(
        until=time.monotonic() + options.setup_timeout_seconds,
        timeout_words=f"{options.setup_timeout_seconds:.0f} s",
        output_bytes=_OUTPUT_BYTES,
    )
    mark = secrets.token_hex(8)
    env = {"PEX_WORKSPACE": str(workspace), _MARK: mark}
    has_succeeded = False
    try:
        with tempfile.TemporaryFile() as output:
            failure = await run_check(argv, workspace, env, output, bounds, options.confinement)
            if failure:
                output.seek(max(0, output.seek(0, os.SEEK_END) - _TAIL_BYTES))
                tail = output.read()
                failure += options.confinement.withheld(tail.decode("utf-8", "replace"))
                raise WorkspaceError(_words(argv, failure, tail))
        has_succeeded = True
    finally:
        if not has_succeeded:  # also if nobody wants the workspace any more
            await asyncio.to_thread(end_marked, _MARK, mark)


def _words(argv: tuple[str, ...], failure: str, tail: bytes) -> str:
    command = argv[-1] if argv[:2] == ("sh", "-c") else " ".join(argv)
    lines = [clean_bytes(line) for line in tail.splitlines()][-_TAIL_LINES:]
    said = "\n".join(["", *lines]) if lines else ""
    return (
        f"The setup command failed: {clean(command)}. {failure} "
        f"Fix it, or correct `workspaces.setup` in the configuration.{said}"
    )
