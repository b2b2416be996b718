"""Sections about agents: their runners, permissions, and limits."""

from typing import Annotated, ClassVar, Literal

from msgspec import field

from pex_tui.core.model.plan import PermissionMode
from pex_tui.core.model.run_rules import ProtectPolicy
from pex_tui.planning.agent_definitions.runners import AUTO, SHARED, TALKS
from pex_tui.planning.fields.declaration import Section
from pex_tui.planning.fields.kinds import choice
from pex_tui.planning.fields.value_types import (
    CommandText,
    Duration,
    Glob,
    PositiveDuration,
    WordText,
)
from pex_tui.settings.setting import Setting, Trust
from pex_tui.settings.values import ISOLATION, AbsolutePath, Host, Rate


class Network(Section, frozen=True):
    """Network access of tasks."""

    rate: Annotated[
        Rate | None,
        Setting("bytes per second for each task, in and out", example="1MB/s"),
    ] = None
    allow: Annotated[
        tuple[Host, ...],
        Setting(
            "hosts that tasks may reach, by HTTP and HTTPS: `example.com`, `*.example.com`, "
            "`example.com:443`; a sandbox leaves no other way out",
            example='["*.python.org", "github.com:443"]',
        ),
    ] = ("*",)


class Protected(Section, frozen=True):
    """Paths whose changes need your approval, besides the files that `verify` names."""

    policy: Annotated[
        ProtectPolicy,
        Setting(
            "changes to protected paths: `ask` (wait for you), `warn` (land and are reported) or "
            "`refuse` (fail); a task whose `writes` names the exact path may change it"
        ),
    ] = ProtectPolicy.ASK
    paths: Annotated[
        tuple[Glob, ...],
        Setting("globs of protected paths: settings, agents, CI, hooks, attributes"),
    ] = (
        ".pex/**",
        ".claude/**",
        ".{codex,gemini,opencode,cursor}/**",
        ".mcp.json",
        ".github/{workflows,actions}/**",
        ".gitlab-ci.{yml,yaml}",
        ".gitlab/ci/**",
        ".{circleci,buildkite,ci,woodpecker,azure-pipelines}/**",
        ".{gitea,forgejo}/workflows/**",
        "{.travis,.woodpecker,.drone,.appveyor,appveyor,azure-pipelines,bitbucket-pipelines}.{yml,yaml}",
        "Jenkinsfile",
        "{.husky,.githooks,githooks,.lefthook}/**",
        "{lefthook,.lefthook,.pre-commit-config}.{yml,yaml}",
        "**/.gitattributes",
        ".worktreeinclude",
    )


class Safety(Section, frozen=True):
    """Isolation and termination of tasks."""

    see: ClassVar[str] = "[safety](safety.md)"

    grace: Annotated[Duration, Setting("time between asking a task to end and killing it")] = 10.0
    isolation: Annotated[
        Literal["auto", "worktree", "clone"],
        ISOLATION,
        Setting(
            "`auto`: read-only tasks share a checkout, others get their own repository; `worktree` "
            "and `clone`: all get their own repository",
            trust=Trust.POWER,
        ),
    ] = "auto"
    sandbox: Annotated[
        Literal["auto", "bwrap", "landlock", "none"],
        Setting(
            "what confines tasks: `bwrap` (bubblewrap), `landlock` (the kernel's own), `auto` (the "
            "first of them that works here) or `none`",
            trust=Trust.POWER,
        ),
    ] = "auto"
    writable: Annotated[
        tuple[AbsolutePath, ...],
        Setting(
            "paths outside its workspace that a sandboxed task may write, and secrets that it may "
            "see; those that do not exist are ignored",
            trust=Trust.POWER,
        ),
    ] = (
        "~/.cache",
        "~/.npm",
        "~/.pnpm-store",
        "~/.local/share/pnpm/store",
        "~/.yarn/berry",
        "~/.bun/install/cache",
        "~/.cargo/registry",
        "~/.cargo/git",
        "~/go/pkg",
        "~/.m2/repository",
        "~/.gradle/caches",
        "~/.gradle/daemon",
        "~/.gradle/native",
        "~/.gradle/wrapper",
        "~/.nuget/packages",
        "~/.pub-cache",
        "~/.ccache",
    )
    env_pass: Annotated[
        tuple[WordText, ...],
        Setting(
            "further environment variables to pass to tasks, `verify` and `workspaces.setup`",
            trust=Trust.POWER,
        ),
    ] = ()
    network: Annotated[Network, Setting("", trust=Trust.POWER)] = Network()
    protected: Annotated[Protected, Setting("", trust=Trust.POWER)] = Protected()


class Permissions(Section, frozen=True):
    """Actions that agents may take without asking; definitions may add to these."""

    mode: Annotated[
        PermissionMode,
        Setting(
            "allowed without asking: `ask` (nothing), `edits` (in its own checkout) or `all`",
            trust=Trust.POWER,
        ),
    ] = PermissionMode.EDITS
    allow: Annotated[
        tuple[WordText, ...],
        Setting(
            "rules for further actions allowed without asking",
            example='["Bash(pytest *)", WebFetch]',
            trust=Trust.POWER,
        ),
    ] = ()
    deny: Annotated[
        tuple[WordText, ...],
        Setting(
            "rules for actions that are never allowed",
            example='["Bash(git push *)"]',
            trust=Trust.POWER,
        ),
    ] = ()


class OwnRunner(Section, frozen=True):
    """A program that runs agents."""

    command: Annotated[
        CommandText, Setting("command that starts it, without the protocol's own arguments")
    ]
    talk: Annotated[str, choice(TALKS), Setting("its protocol")] = SHARED


class Agents(Section, frozen=True):
    """Agents with a model; `pex-tui doctor` lists the runners that are installed."""

    see: ClassVar[str] = "[agents](agents.md)"

    runner: Annotated[
        WordText,
        Setting(
            "default runner: `auto` (the first one installed) or a runner's name",
            trust=Trust.POWER,
        ),
    ] = AUTO
    use: Annotated[
        dict[str, WordText],
        Setting(
            "runners by agent",
            example='{security-agent: codex, "*": claude}',
            trust=Trust.POWER,
        ),
    ] = field(default_factory=dict)
    runners: Annotated[
        dict[str, OwnRunner],
        Setting(
            "custom runners",
            example="{mine: {talk: acp, command: [my-agent, --acp]}}",
            trust=Trust.POWER,
        ),
    ] = field(default_factory=dict)
    planner: Annotated[
        Literal["auto", "model", "rules"],
        Setting(
            "planner of goals: `auto` (meta-agent if it can run, else rules), `model` "
            "(meta-agent or an error) or `rules` (never a model)",
            trust=Trust.POWER,
        ),
    ] = "auto"
    stall: Annotated[
        PositiveDuration,
        Setting(
            "an agent that is silent for this long, using no tool, is stopped and retried",
            trust=Trust.COST,
        ),
    ] = 600.0
    permissions: Permissions = Permissions()
