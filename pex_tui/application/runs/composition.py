"""The composition root: the engine's ports, made of the adapters."""

import os
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from pex_tui.adapters.agents.launches import AgentLaunches
from pex_tui.adapters.agents.lock_server import LockServer
from pex_tui.adapters.agents.port_leases import PortLeases
from pex_tui.adapters.agents.runner import AgentsRunner
from pex_tui.adapters.git.landing.gate_runner import GateOptions
from pex_tui.adapters.git.landing.half_landed import LandingNote, repair_landing
from pex_tui.adapters.git.landing.lander import (
    LANDING_LOCK,
    LANDING_NOTE,
    GitLander,
    LanderOptions,
)
from pex_tui.adapters.git.maintenance.runs_by_refs import FoundRun
from pex_tui.adapters.git.overlap.git_overlap_probe import GitOverlapProbe
from pex_tui.adapters.git.plumbing.git_runner import GitError
from pex_tui.adapters.git.plumbing.ref_writer import Refs
from pex_tui.adapters.git.plumbing.repository import Identity, Repository
from pex_tui.adapters.git.plumbing.stand_in_directory import stand_in_for
from pex_tui.adapters.git.workspaces.provider import GitWorkspaces
from pex_tui.adapters.git.workspaces.setup_command import run_setup
from pex_tui.adapters.git.workspaces.workspace_options import WorkspaceOptions
from pex_tui.adapters.limits.machine_memory import MachineMemory
from pex_tui.adapters.limits.policy import LimitPolicy
from pex_tui.adapters.process.confined_command import Confinement
from pex_tui.adapters.storage.fault_log import FaultLog
from pex_tui.adapters.storage.journal import SqliteJournal
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.application.project.network import network_rules
from pex_tui.application.project.project import Project
from pex_tui.application.project.sandboxing import sandbox_policy
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.protected_paths import protection_of
from pex_tui.core.model.run_refs import branch_name
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import RunState
from pex_tui.core.sanitize import clean
from pex_tui.engine.ports import LandingError, Ports
from pex_tui.engine.run_paths import RunPaths
from pex_tui.errors import UserError
from pex_tui.settings.model import Settings


class Assembly(Struct, frozen=True):
    """The ports, and the resources to start and to release besides."""

    ports: Ports
    lander: GitLander
    leases: PortLeases
    runner: AgentsRunner


def assemble(
    project: Project,
    state: RunState,
    journal: SqliteJournal,
    identity: Identity | None,
    lock_server: LockServer,
) -> Assembly:
    """Compose all ports of one run."""
    lander = make_lander(project, state, identity)
    workspaces = GitWorkspaces(
        project.repository, project.places, workspace_options(project, state.rules), identity
    )
    leases = PortLeases(project.places.root.name)
    sandboxes = sandbox_policy(project)
    clock = SystemClock(project.places.clock(state.run), state.now)
    runner = AgentsRunner(
        project.places,
        stall_seconds=project.settings.agents.stall,
        clock=clock,
        log_limit=project.settings.monitoring.log_limit,
    )
    return Assembly(
        Ports(
            journal=journal,
            workspaces=workspaces,
            runner=runner,
            launches=AgentLaunches(
                places=project.places,
                leases=leases,
                user=project.environ,
                grace_seconds=state.rules.grace_seconds,
                passed=project.settings.safety.env_pass,
                lock_server=lock_server,
                write_leases=state.rules.leases,
                programs=project.places.programs(state.run),
                network=network_rules(project.settings.safety.network, project.environ),
                sandboxes=sandboxes,
                limits=limit_policy(project.settings, state.rules),
            ),
            lander=lander,
            clock=clock,
            overlap_probe=GitOverlapProbe(workspaces),
            memory=MachineMemory(),
            desk=lock_server,
            log=FaultLog(project.places.faults(state.run)),
        ),
        lander,
        leases,
        runner,
    )


def limit_policy(settings: Settings, rules: RunRules) -> LimitPolicy:
    """Return the limits of a run's attempts."""
    pool = settings.thread_pool
    return LimitPolicy(
        rules,
        cores=os.cpu_count() or 1,
        processes=pool.processes_per_agent,
        disk_bytes=pool.disk_per_agent,
        polls=pool.limit_tier == "polling",
    )


def make_lander(project: Project, state: RunState, identity: Identity | None) -> GitLander:
    """Return the lander of a run's merge queue."""
    options = workspace_options(project, state.rules)
    environment = identity.environment if identity else {}
    git = project.repository.git

    async def setup(workspace: Path) -> None:
        await run_setup(options, workspace)

    return GitLander(
        LanderOptions(
            git=replace(git, env={**git.env, **environment}),
            checkout=project.repository.checkout,
            repository=project.repository,
            places=project.places,
            run=state.run,
            branch=state.branch,
            base=state.base,
            tip=state.tip,
            goal=state.plan.goal,
            gate=GateOptions(
                verify=state.plan.verify,
                timeout_seconds=project.settings.gate.timeout,
                keep=options.keep,
                setup=setup if options.setup_argv else None,
                confinement=options.confinement,
            ),
            gate_policy=state.plan.gate,
            silent=state.rules.silent,
            by_path=state.rules.path_strategies,
            remembers=state.rules.remembers,
            protection=protection_of(state.planned, state.rules),
        )
    )


def lander_of_refs(project: Project, found: FoundRun, identity: Identity) -> GitLander:
    """Return the lander of a run known only from its refs; it has no gate."""
    git = project.repository.git
    return GitLander(
        LanderOptions(
            git=replace(git, env={**git.env, **identity.environment}),
            checkout=project.repository.checkout,
            repository=project.repository,
            places=project.places,
            run=found.run,
            branch=branch_name(found.run),
            base=found.base,
            tip=found.tip,
        )
    )


async def repair_landing_of(repository: Repository, places: RunPaths) -> tuple[str, ...]:
    """Finish or undo an interrupted landing in the user's checkout; raise UserError.

    Returns a notice of what was done. Git uses its settings from before any agent of that run ran.
    """
    note = LandingNote(places.root / LANDING_NOTE)
    landing = note.read()
    if landing is None:
        return ()
    settings = places.settings(RunId(landing.run))
    if landing.run and settings.is_dir():
        repository = await stand_in_for(repository, settings)
    refs = Refs(repository.git, places.root / LANDING_LOCK)
    try:
        done = await repair_landing(refs, repository.checkout, note)
    except (GitError, LandingError, OSError) as error:
        raise UserError(f"An earlier landing was interrupted: {clean(str(error))}") from error
    return (done,) if done else ()


def workspace_options(project: Project, rules: RunRules) -> WorkspaceOptions:
    """Return the workspace options from the configuration."""
    configured, safety = project.settings.workspaces, project.settings.safety
    return WorkspaceOptions(
        setup=configured.setup,
        keep=configured.keep,
        include_file=configured.include_file,
        confinement=Confinement(
            user=project.environ,
            passed=safety.env_pass,
            sandboxes=sandbox_policy(project),
            network=network_rules(safety.network, project.environ),
            limits=limit_policy(project.settings, rules).of_checks,
        ),
    )
