"""Check the machine and the repository for what a run requires and what it would profit from."""

import locale
import os
import platform
import shutil
import sys
from pathlib import Path

import psutil

from pex_tui.adapters.git.plumbing.repository import (
    Repository,
    RepositoryError,
    discover,
    git_version,
    shown_path,
)
from pex_tui.adapters.git.user_repository.state_directory import state_directory
from pex_tui.adapters.library.library import load_library
from pex_tui.adapters.limits.machine_memory import MachineMemory
from pex_tui.adapters.limits.tiers import available_tier
from pex_tui.adapters.sandbox.tiers import tiers
from pex_tui.application.project.appearance import check_appearance
from pex_tui.application.project.project import library_folders
from pex_tui.application.project.sandboxing import sandbox_tier
from pex_tui.core.formatting import counted, size
from pex_tui.core.model.memory import TIERS
from pex_tui.core.model.sandbox import NO_SANDBOX, Tier, sandbox_words
from pex_tui.engine.session import CheckLevel, DoctorCheck
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.runners import PRESETS
from pex_tui.settings.load import load_settings

_LOW_DISK_BYTES = 2 * 1024**3
_OLDEST_PYTHON = (3, 11)
_SMALL = (80, 24)


async def check_all(place: Path) -> tuple[DoctorCheck, ...]:
    """Return all findings, the most basic first."""
    repository, finding = await _repository(place)
    found = [_python(), await _git(), finding]
    found.append(_settings(None if repository is None else repository.top_level))
    if repository is not None:
        found += [await _identity(repository), _state(repository)]
    found += [_agents(), _sandbox(repository), _limits()]
    return (*found, _cores(), _terminal())


async def _repository(place: Path) -> tuple[Repository | None, DoctorCheck]:
    try:
        repository = await discover(place)
        head = await repository.head()
    except RepositoryError as error:
        return None, DoctorCheck(CheckLevel.BAD, "repository", "can't be worked in", str(error))
    branch = await repository.current_branch() or "detached HEAD"
    dirt = await repository.dirty()
    state = dirt.summary or "clean"
    return repository, DoctorCheck(
        CheckLevel.OK, "repository", f"{repository.name}: {branch}@{head[:9]}, {state}"
    )


def _settings(repo_top: Path | None) -> DoctorCheck:
    """Check the configuration, with its themes, keys and agent library, as a run would read it."""
    try:
        settings = load_settings(repo_top, (), os.environ)
        check_appearance(settings, os.environ)
        library = load_library(library_folders(repo_top, os.environ))
    except UserError as error:
        told = "\n".join(error.problems or error.lines)
        return DoctorCheck(CheckLevel.BAD, "settings", "can't be used", told)
    told = "\n".join((*settings.notices(), *library.problems))
    if told:
        return DoctorCheck(CheckLevel.WARN, "settings", "can be used, in part", told)
    return DoctorCheck(
        CheckLevel.OK, "settings", f"{counted(len(library.agents), 'agent')} defined"
    )


async def _identity(repository: Repository) -> DoctorCheck:
    try:
        identity = await repository.check_identity()
    except RepositoryError as error:
        return DoctorCheck(CheckLevel.WARN, "identity", "git does not know who you are", str(error))
    return DoctorCheck(
        CheckLevel.OK, "identity", f"{identity.author_name} <{identity.author_email}>"
    )


def _state(repository: Repository) -> DoctorCheck:
    try:
        folder = state_directory(repository)
    except UserError as error:
        return DoctorCheck(CheckLevel.BAD, "state", "can't be written", str(error))
    free = shutil.disk_usage(folder).free
    text = f"{shown_path(folder)}, {free / 1024**3:.0f} GB free"
    if free < _LOW_DISK_BYTES:
        return DoctorCheck(
            CheckLevel.WARN, "state", text, "Worktrees need room: try `pex-tui clean`."
        )
    return DoctorCheck(CheckLevel.OK, "state", text)


def _python() -> DoctorCheck:
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        return DoctorCheck(CheckLevel.BAD, "python", version, "Install Python 3.11 or newer.")
    return DoctorCheck(CheckLevel.OK, "python", version)


async def _git() -> DoctorCheck:
    path = shutil.which("git")
    if path is None:
        return DoctorCheck(CheckLevel.BAD, "git", "not found", "Install git 2.39 or newer.")
    try:
        version = await git_version()
    except RepositoryError as error:
        return DoctorCheck(CheckLevel.BAD, "git", path, str(error))
    return DoctorCheck(CheckLevel.OK, "git", f"{version}, {path}")


def _agents() -> DoctorCheck:
    """Find the installed coding agents, without running any."""
    found = [runner.name for runner in PRESETS if shutil.which(runner.argv[0])]
    if found:
        return DoctorCheck(CheckLevel.OK, "agents", f"run by {', '.join(found)}")
    programs = ", ".join(dict.fromkeys(runner.argv[0] for runner in PRESETS))
    return DoctorCheck(
        CheckLevel.OK,
        "agents",
        "no coding agent found; any command is an agent as well",
        f"For agents with a model, put one of {programs} on the PATH, or name your own under "
        "agents.runners in the configuration.",
    )


def _sandbox(repository: Repository | None) -> DoctorCheck:
    """Find what confines tasks here, by making a sandbox."""
    top = None if repository is None else repository.top_level
    try:
        setting = load_settings(top, (), os.environ).safety.sandbox
        tier = sandbox_tier(setting)
    except UserError as error:
        return DoctorCheck(CheckLevel.BAD, "sandbox", "can't be made", error.lines[0])
    text = f"tasks run {sandbox_words(tier or NO_SANDBOX)}"
    if tier is Tier.BWRAP or setting == (tier or NO_SANDBOX):
        return DoctorCheck(CheckLevel.OK, "sandbox", text)
    return DoctorCheck(CheckLevel.WARN, "sandbox", text, f"For bubblewrap: {tiers().bwrap_problem}")


def _limits() -> DoctorCheck:
    """Check, by really limiting a process, what holds the limits of agents here."""
    tier = available_tier()
    if tier == "polling":
        return DoctorCheck(
            CheckLevel.WARN,
            "limits",
            f"{TIERS[tier]}: memory, CPU, processes and disk space are looked at some times a "
            "second",
            "The kernel holds them exactly where systemd runs a session of yours, or a cgroup is "
            "delegated to you.",
        )
    found = f"{TIERS[tier]}: memory, CPU and processes by the kernel, disk space by looking"
    return DoctorCheck(CheckLevel.OK, "limits", found)


def _cores() -> DoctorCheck:
    memory = MachineMemory().read({})
    free = f"{size(memory.available_bytes)} of {size(memory.total_bytes)} memory available"
    return DoctorCheck(CheckLevel.OK, "machine", f"{psutil.cpu_count() or 1} cores, {free}")


def _terminal() -> DoctorCheck:
    term = os.environ.get("TERM", "")
    encoding = locale.getpreferredencoding(do_setlocale=False)
    if not sys.stdout.isatty() or term in {"", "dumb"}:
        return DoctorCheck(CheckLevel.WARN, "terminal", "none: runs are headless", "")
    size = shutil.get_terminal_size()
    text = f"{term}, {size.columns}×{size.lines}, {encoding}"
    if (size.columns, size.lines) < _SMALL:
        return DoctorCheck(CheckLevel.WARN, "terminal", text, "The app wants 80×24 or more.")
    if "utf" not in encoding.lower():
        return DoctorCheck(
            CheckLevel.WARN, "terminal", text, "Without UTF-8 the app draws in ASCII."
        )
    return DoctorCheck(CheckLevel.OK, "terminal", text)
