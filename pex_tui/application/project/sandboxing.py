"""The sandbox of a project's tasks: the tier in force, and what it lets them reach."""

import os
from pathlib import Path

from pex_tui.adapters.git.user_repository.state_directory import state_home
from pex_tui.adapters.sandbox.landlock import PORT_ABI
from pex_tui.adapters.sandbox.policy import SandboxPolicy
from pex_tui.adapters.sandbox.tiers import SandboxError, tiers
from pex_tui.application.project.project import Project
from pex_tui.core.allowed_hosts import ANY
from pex_tui.core.model.sandbox import NO_SANDBOX, Tier
from pex_tui.errors import UserError
from pex_tui.settings.agent_sections import Safety


def sandbox_tier(setting: str) -> Tier | None:
    """Return the tier that the setting means on this machine, None for no sandbox.

    Raises UserError if it names one that does not work here.
    """
    try:
        return None if setting == NO_SANDBOX else tiers().choose(setting)
    except SandboxError as error:
        raise UserError(str(error)) from error


def sandbox_name(project: Project) -> str:
    """Return the tier that confines the project's tasks, or "none"; raise UserError."""
    return sandbox_tier(project.settings.safety.sandbox) or NO_SANDBOX


def missing_sandbox(project: Project) -> str:
    """Return a notice if tasks are to be confined and this machine can't, else nothing."""
    if project.settings.safety.sandbox == NO_SANDBOX or sandbox_name(project) != NO_SANDBOX:
        return ""
    return (
        "There is no sandbox here, so tasks have all rights of your user: neither bubblewrap nor "
        "Landlock works. `pex-tui doctor` says why; safety.sandbox: none leaves this out."
    )


def open_network(safety: Safety) -> str:
    """Return a notice if hosts are limited and a task that ignores its proxy reaches others."""
    network = safety.network
    if ANY in network.allow and network.rate is None:
        return ""
    tier = sandbox_tier(safety.sandbox)
    if tier is Tier.BWRAP or (tier is Tier.LANDLOCK and tiers().landlock >= PORT_ABI):
        return ""
    why = "there is no sandbox" if tier is None else "before Linux 6.7, Landlock holds no ports"
    return (
        f"safety.network is held by the tasks' proxies alone, as {why}: a program that ignores its "
        "proxy reaches any host."
    )


def sandbox_policy(project: Project) -> SandboxPolicy | None:
    """Return the policy of the project's sandboxes, None without one; raise UserError."""
    safety = project.settings.safety
    tier = sandbox_tier(safety.sandbox)
    if tier is None:
        return None
    repository = project.repository
    return SandboxPolicy(
        tier=tier,
        program=tiers().bwrap if tier is Tier.BWRAP else "",
        environ=project.environ,
        state=state_home() / "pex-tui",
        writable=safety.writable,
        needed=(repository.top_level, repository.git_dir, repository.common_dir),
        temporary=Path(os.environ.get("TMPDIR") or "/tmp", f"pex-tui-{os.getuid()}"),  # noqa: S108
    )
