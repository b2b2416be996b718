"""Command lines of agents with a model, and the user's variables that they need."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from pex_tui.adapters.agents.protocols.agent_protocol import AgentProtocol
from pex_tui.adapters.agents.protocols.registry import protocol_of
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.sandbox.policy import Grant
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.network_rules import NetworkRules
from pex_tui.engine.attempt import LaunchError
from pex_tui.planning.agent_definitions.runners import TALKS, Runner

_WORDS = re.compile(r"[^\s;|&()<>'\"`$=]+")
_BASE_URLS = ("_BASE_URL", "_API_BASE", "_ENDPOINT")
_LONGEST_ARGUMENT = 120_000  # bytes; the kernel's limit is 128 KiB


def argv_of(spec: TaskSpec, record: AgentRecord) -> tuple[str, ...]:
    """Return the argv that starts the attempt; raise LaunchError if the prompt is too long."""
    brief = spec.brief
    if brief is None:
        return spec.argv
    options = protocol_of(brief.talk).options(brief, record)
    for option in options:
        if len(option.encode("utf-8", "surrogateescape")) > _LONGEST_ARGUMENT:
            raise LaunchError(
                f"its prompt is too long for {brief.runner}, which takes it as an argument. "
                "Put the details in a file of the repository, and name that.",
                permanent=True,
            )
    return (*spec.argv, *options)


def is_spoken(spec: TaskSpec) -> bool:
    """Return whether the engine writes to the stdin of the task's agent."""
    return spec.brief is not None and protocol_of(spec.brief.talk).is_spoken


def needed_environment(spec: TaskSpec) -> tuple[str, ...]:
    """Return patterns of the user's variables that the task's agent needs."""
    provider = _provider(spec)
    return () if provider is None else provider.variables


def own_environment(spec: TaskSpec, passed: dict[str, str]) -> dict[str, str]:
    """Return the passed environment, adapted to the task's agent."""
    provider = _provider(spec)
    if spec.brief is None or provider is None:
        return passed
    return provider.environment(spec.brief.talk, passed)


def grant_of(spec: TaskSpec) -> Grant:
    """Return the places of the home that the task's agent needs.

    A command that names a known coding agent gets what that one needs.
    """
    provider = _provider(spec)
    if provider is not None:
        return provider.grant
    words = {part.rpartition("/")[2] for word in spec.argv for part in _WORDS.findall(word)}
    named = [protocol_of(talk).grant for talk in TALKS if talk in words]
    return Grant(
        homes=tuple(home for one in named for home in one.homes),
        kept=tuple(path for one in named for path in one.kept),
        hosts=tuple(host for one in named for host in one.hosts),
    )


def network_of(
    spec: TaskSpec, rules: NetworkRules | None, env: Mapping[str, str]
) -> NetworkRules | None:
    """Return the rules with the hosts that the task's agent cannot work without.

    These are its provider's, and those of the base URLs in its environment.
    """
    if rules is None:
        return None
    hosts = [*grant_of(spec).hosts]
    if hosts:
        urls = (urlsplit(env[name]) for name in sorted(env) if name.endswith(_BASE_URLS))
        hosts += (url.netloc.rpartition("@")[2] for url in urls if url.hostname)
    known = [host for host in hosts if host not in rules.allow]
    return rules._replace(allow=(*rules.allow, *known))


def _provider(spec: TaskSpec) -> AgentProtocol | None:
    """Return the protocol of the task's model provider, whichever protocol the agent speaks."""
    if spec.brief is None:
        return None
    name = Runner(spec.brief.runner, spec.brief.talk, spec.argv).provider
    return protocol_of(name) if name in TALKS else None
