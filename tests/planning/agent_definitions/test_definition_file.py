import pytest

from pex_tui.core.model.plan import Expects
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.definition_file import BrokenDefinitionError, parse_agent

FULL = """\
---
name: security-agent
description: Looks for injection flaws
tools: Read, Grep, Bash(git log:*)
model: sonnet
color: red
pex:
  command: [semgrep, --error]
  reads: ["src/**"]
  writes: ["reports/**"]
  cluster: analysis
  estimate: 3m
  memory: 512MB
  cpu: 50%
  timeout: 10m
  expects: changes
---
You are a careful reviewer.

---
Say what you found.
"""


def agent(text: str) -> AgentDefinition:
    return parse_agent(text, "from-the-file", layer="repository", path="x.md")


def problems(text: str) -> list[tuple[int, str]]:
    with pytest.raises(BrokenDefinitionError) as caught:
        agent(text)
    return [(problem.line, problem.text) for problem in caught.value.problems]


def test_a_definition_is_read_with_all_that_it_says() -> None:
    found = agent(FULL)
    assert (found.name, found.description) == ("security-agent", "Looks for injection flaws")
    assert found.tools == ("Read", "Grep", "Bash")
    assert found.model == "sonnet"
    assert (found.argv, found.runner) == (("semgrep", "--error"), "command")
    assert (found.reads, found.writes, found.cluster) == (("src/**",), ("reports/**",), "analysis")
    assert (found.estimate_seconds, found.timeout_seconds) == (180, 600)
    assert (found.memory_bytes, found.cpu_cores) == (512 * 1024**2, 0.5)
    assert found.expects is Expects.CHANGES
    assert found.prompt == "You are a careful reviewer.\n\n---\nSay what you found."
    assert (found.layer, found.path) == ("repository", "x.md")


def test_without_a_name_the_files_name_counts() -> None:
    assert agent("---\n---\nhello\n").name == "from-the-file"


@pytest.mark.parametrize(
    ("tools", "writes"),
    [
        ("tools: Read, Grep", ()),
        ("tools: [Read, WebFetch]", ()),
        ("tools: Read, Edit", None),
        ("tools: 'Bash(ls:*)'", None),
        ("tools: '*'", None),
        ("model: opus", None),
    ],
)
def test_an_agent_without_a_tool_that_writes_is_read_only(
    tools: str, writes: tuple[str, ...] | None
) -> None:
    assert agent(f"---\nname: a\n{tools}\n---\n").writes == writes


def test_descriptions_may_hold_what_yaml_wants_quoted() -> None:
    found = agent("---\nname: a\ndescription: Use it when: it's <late>: always\ntools: Read\n---\n")
    assert found.description == "Use it when: it's <late>: always"
    assert found.is_read_only


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("hello", 1, "does not start with frontmatter"),
        ("---\nname: a\n", 1, "the frontmatter has no end"),
        ("---\n- a\n---\n", 2, "is not a mapping"),
        ("---\nname: a b\n---\n", 2, "is not a valid agent name"),
        ("---\nname: a\ntools: {x: y}\n---\n", 3, "it is a mapping, not a list"),
        ("---\nname: a\npex:\n  comand: x\n---\n", 4, 'Did you mean "command"?'),
        ("---\nname: a\npex:\n  estimate: soon\n---\n", 4, '"soon" is not a valid duration'),
        ("---\nname: a\npex: x\n---\n", 3, "it takes a mapping"),
        ("---\nname: a\nname: b\n---\n", 3, "Keep one."),
        ("---\nname: a\nmodel: [x\n---\n", 3, "not readable YAML"),
    ],
)
def test_a_broken_definition_says_what_and_where(text: str, line: int, problem: str) -> None:
    (found,) = problems(text)
    assert found[0] == line
    assert problem in found[1]
