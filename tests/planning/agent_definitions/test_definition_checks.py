import pytest

from pex_tui.planning.agent_definitions.definition_checks import (
    MOST_DESCRIPTION,
    MOST_PROMPT,
    CheckedDefinition,
    check_definition,
    surprises,
)

WHOLE = """\
---
name: reviewer
description: Reviews code. Use before a merge.
tools: Read, Grep, mcp__tracker__search
---

You review code.
"""


def check(text: str) -> CheckedDefinition:
    return check_definition(text, "reviewer", layer="user", path="reviewer.md")


def test_a_good_definition_has_nothing_found() -> None:
    checked = check(WHOLE)
    assert checked.agent is not None
    assert checked.agent.name == "reviewer"
    assert checked.findings == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("You review code.\n", "", 6, "the prompt is empty"),
        ("description: Reviews code. Use before a merge.\n", "", 2, "there is no description"),
        ("Reviews code.", "x" * MOST_DESCRIPTION, 3, f"{MOST_DESCRIPTION} are read"),
        ("You review code.", "x" * (MOST_PROMPT + 1), 6, "each task pays"),
        ("Grep", "Grepp", 4, 'no tool "Grepp" is known. Did you mean "Grep"'),
        ("Grep", "Sorcery", 4, 'no tool "Sorcery" is known. Drop it'),
        ("Read, Grep", "Edit\npex: {writes: []}\nmore: Grep", 5, "writes is [], and it has Edit"),
        ("tools: Read, Grep, mcp__tracker__search", "pex: {writes: []}", 4, "it has all tools"),
        ("search\n", "search\npex:\n  writes: ['docs/**']\n", 6, "none of its tools can"),
        ("search\n", "search\npex: {expects: changes}\n", 5, "expects changes and may change"),
        ("You review", "You\x1b[2J review", 7, "control or invisible"),
        ("You review", "You \u202erewiev", 7, "control or invisible"),
        ("You review", "You \U000e0041review", 7, "control or invisible"),
    ],
)
def test_each_doubt_is_a_warning_with_its_line(old: str, new: str, line: int, words: str) -> None:
    checked = check(WHOLE.replace(old, new))
    (finding,) = checked.findings
    assert checked.agent is not None
    assert finding.line == line
    assert words in finding.text
    assert not finding.is_error


def test_pictures_tabs_and_windows_line_ends_are_no_doubt() -> None:
    assert check(WHOLE.replace("You review code.", "👩‍💻\tYou review code.\r")).findings == ()


def test_a_definition_with_a_command_needs_no_prompt() -> None:
    text = "---\nname: scan\ndescription: Scans.\npex: {command: [semgrep], writes: []}\n---\n"
    assert check(text).findings == ()


def test_a_broken_definition_has_its_errors() -> None:
    checked = check("---\nname: a b\npex: {estimate: soon}\n---\n")
    assert checked.agent is None
    assert [(finding.line, finding.is_error) for finding in checked.findings] == [
        (2, True),
        (3, True),
    ]


def test_what_acts_beside_the_prompt_is_a_surprise() -> None:
    text = (
        "---\nname: a\npermissionMode: bypassPermissions\nhooks: {Stop: []}\n"
        "mcpServers: [x]\npex:\n  command: [sh, -c, evil]\n  permissions: {allow: [Bash]}\n---\n"
    )
    assert [(finding.line, finding.text) for finding in surprises(text)] == [
        (3, "asks for a permission mode: bypassPermissions"),
        (4, "runs commands of its own (hooks)"),
        (5, "starts servers of its own (mcpServers)"),
        (7, "runs a command of its own (pex.command)"),
        (8, "says itself what it may do without a question (pex.permissions)"),
    ]
    assert surprises(WHOLE) == ()
