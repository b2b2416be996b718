import pytest

from pex_tui.adapters.library.checks import check_paths
from pex_tui.adapters.library.library import AgentFolder, load_library
from pex_tui.core.model.plan import Expects
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.resources import shipped
from pex_tui.settings.load import load_settings

SHIPPED = shipped("config") / "agents"
AGENTS = load_library([AgentFolder("shipped", SHIPPED)]).agents
MOST_LINES = 60


def test_every_shipped_agent_loads_and_every_named_rule_has_its_agent() -> None:
    library = load_library([AgentFolder("shipped", shipped("config") / "agents")])
    compatibility = load_settings(None, (), {"HOME": "/nowhere"}).compatibility
    named = {name for members in compatibility.clusters.values() for name in members}
    named |= {name for pair in compatibility.never for name in pair if name != "@writes"}

    assert library.problems == ()
    assert named <= set(library.agents)
    assert all(agent.prompt.strip() for agent in library.agents.values())


def test_a_check_finds_nothing_in_what_is_shipped() -> None:
    checked = check_paths([SHIPPED])

    assert len(checked) == 22
    assert [file for file in checked if file.findings] == []


@pytest.mark.parametrize("agent", AGENTS.values(), ids=lambda agent: agent.name)
def test_each_shipped_agent_says_when_to_use_it_and_how_it_works(agent: AgentDefinition) -> None:
    text = (SHIPPED / f"{agent.name}.md").read_text("utf-8")

    assert " Use " in agent.description
    assert agent.tools
    assert text.count("\n") < MOST_LINES
    for part in ("## Method\n\n1. ", "## Deliver\n", "## Verify\n", "## Leave alone\n"):
        assert part in agent.prompt
    if agent.is_read_only:
        assert "change no file" in agent.prompt
    else:
        assert "Do not commit, push" in agent.prompt


@pytest.mark.parametrize("agent", AGENTS.values(), ids=lambda agent: agent.name)
def test_each_shipped_agent_says_what_it_takes(agent: AgentDefinition) -> None:
    assert agent.memory_bytes == 1024**3
    assert agent.estimate_seconds is not None
    assert agent.timeout_seconds is not None
    assert agent.estimate_seconds < agent.timeout_seconds
    assert agent.expects in ({None} if agent.is_read_only else {None, Expects.CHANGES})
    assert agent.is_read_only == ("Reads only." in agent.description)


def test_shipped_agents_are_in_the_clusters_that_the_configuration_names() -> None:
    clusters = load_settings(None, (), {"HOME": "/nowhere"}).compatibility.clusters

    assert {name: agent.cluster for name, agent in AGENTS.items() if agent.cluster} == {
        member: cluster for cluster, members in clusters.items() for member in members
    }
