from pex_tui.adapters.library import AgentFolder, load_library
from pex_tui.resources import shipped
from pex_tui.settings import load_settings


def test_every_shipped_agent_loads_and_every_named_rule_has_its_agent() -> None:
    library = load_library([AgentFolder("shipped", shipped("config") / "agents")])
    compatibility = load_settings(None, (), {"HOME": "/nowhere"}).compatibility
    named = {name for members in compatibility.clusters.values() for name in members}
    named |= {name for pair in compatibility.never for name in pair if name != "@writes"}

    assert library.problems == ()
    assert named <= set(library.agents)
    assert all(agent.prompt.strip() for agent in library.agents.values())
