"""Output of `pex-tui agents`: list, show and check."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.cli.output.agents import first_sentence, render_agent, render_agents
from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import PermissionMode, PermissionRules
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from tests.pex_process import run_pex

SCAN = AgentDefinition(
    AgentName("scan"),
    description="Scans for secrets. Use before a release.",
    prompt="Look.\n\nTell.",
    tools=("Read",),
    writes=(),
    layer="user",
    path="/home/me/.claude/agents/scan.md",
)


@dataclass(frozen=True)
class Shop:
    """A small repository, and pex-tui in it."""

    path: Path
    environ: dict[str, str]

    def pex(
        self, *args: str, ends: int = 0, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        ended = run_pex(*args, cwd=cwd or self.path, env=self.environ)
        assert ended.returncode == ends, ended.stderr
        return ended

    def define(self, name: str, text: str) -> Path:
        path = self.path / ".claude" / "agents" / f"{name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    path, home = tmp_path / "shop", tmp_path / "home"
    path.mkdir()
    home.mkdir()
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",  # without any coding agent
        "HOME": str(home),
        "LANG": "C.UTF-8",
    }
    subprocess.run(["git", "init", "-q", str(path)], env=environ, check=True)
    return Shop(path, environ)


def test_an_agent_is_one_line_under_its_heads() -> None:
    head, line = render_agents([SCAN]).splitlines()
    assert head.split() == ["NAME", "SOURCE", "RUNNER", "READ-ONLY", "DESCRIPTION"]
    assert line.split() == ["scan", "user", "-", "yes", "Scans", "for", "secrets."]
    assert line.index("Scans") == head.index("DESCRIPTION")


def test_agents_are_sorted_and_a_runner_is_named() -> None:
    other = replace(SCAN, name=AgentName("alpha"), argv=("semgrep",), writes=None)
    first, second = render_agents([SCAN, other]).splitlines()[1:]
    assert first.split()[:4] == ["alpha", "user", "command", "no"]
    assert second.startswith("scan")


@pytest.mark.parametrize("width", [10, 30, 48, 200])
def test_a_line_is_never_wider_than_the_terminal(width: int) -> None:
    long = replace(SCAN, description="scanning " * 50)
    for line in render_agents([long], width).splitlines():
        assert len(line) <= width
    assert render_agents([long], width).splitlines()[1].endswith("…")


def test_an_empty_library_says_how_to_fill_it() -> None:
    assert "pex-tui agents add" in render_agents([])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("One. Two.", "One."),
        ("Reads a.b files! More", "Reads a.b files!"),
        ("First line\nsecond", "First line second"),
        ("\x1b[31mred\x1b[0m. Next", "red."),
        ("", ""),
    ],
)
def test_the_first_sentence_stands_for_a_description(text: str, sentence: str) -> None:
    assert first_sentence(text) == sentence


def test_an_agent_is_shown_with_its_prompt_and_those_it_hides() -> None:
    behind = replace(SCAN, layer="shipped", path="/shipped/scan.md")
    text = render_agent(replace(SCAN, prompt="Look.\n\n\x1b[2JTell."), [behind])
    assert "Source       user: /home/me/.claude/agents/scan.md\n" in text
    assert "Hides        shipped: /shipped/scan.md\n" in text
    assert "Writes       nothing: it is read-only\n" in text
    assert text.endswith("\nLook.\n\nTell.\n")
    assert "\x1b" not in text


def test_an_agents_permissions_and_limits_are_shown() -> None:
    rules = PermissionRules(PermissionMode.ASK, ("Bash(pytest *)",), ("WebFetch",))
    agent = replace(SCAN, permissions=rules, estimate_seconds=90.0, memory_bytes=1024**3)
    lines = render_agent(agent, []).splitlines()
    assert "Permissions  mode ask" in lines
    assert "  allowed    Bash(pytest *)" in lines
    assert "  denied     WebFetch" in lines
    assert "Estimate     1m 30s" in lines
    assert "Memory       1.0G" in lines
    assert "Runner       - (none is here; see pex-tui doctor)" in lines


def test_the_library_is_listed_with_what_is_broken_on_the_side(shop: Shop) -> None:
    shop.define("mine", "---\nname: mine\ndescription: Mine alone.\ntools: Read\n---\nGo.\n")
    broken = shop.define("broken", "---\nname: x\npex: {memory: much}\n---\n")
    ended = shop.pex("agents")
    mine = next(line for line in ended.stdout.splitlines() if line.startswith("mine "))
    assert mine.split() == ["mine", "repository", "-", "yes", "Mine", "alone."]
    assert "qa-engineer" in ended.stdout
    assert f"{broken}:3: pex.memory" in ended.stderr
    assert shop.pex("agents", "list").stdout == ended.stdout


def test_the_runner_is_the_one_that_would_be_taken_here(shop: Shop) -> None:
    shop.define("mine", "---\nname: mine\ntools: Read\n---\nGo.\n")
    runners = 'agents.runners={"own": {"talk": "acp", "command": ["sh"]}}'
    chosen = ("--set", runners, "--set", "agents.runner=own")
    listed = json.loads(shop.pex("agents", *chosen, "list", "--json").stdout)
    assert {agent["runner"] for agent in listed} == {"own"}
    assert "Runner       own\n" in shop.pex("agents", *chosen, "show", "mine").stdout


def test_the_list_as_json_names_source_runner_and_what_only_reads(shop: Shop) -> None:
    path = shop.define("mine", "---\nname: mine\ndescription: Mine.\npex: {command: [ls]}\n---\n")
    listed = json.loads(shop.pex("agents", "list", "--json").stdout)
    assert {
        "name": "mine",
        "source": "repository",
        "runner": "command",
        "read_only": False,
        "path": str(path),
        "description": "Mine.",
    } in listed
    assert len(listed) == 23


def test_outside_of_a_repository_the_other_folders_are_listed(shop: Shop, tmp_path: Path) -> None:
    assert "qa-engineer" in shop.pex("agents", cwd=tmp_path).stdout
    refused = shop.pex("agents", "list", "--repo", str(tmp_path), ends=2)
    assert "not in a git repository" in refused.stderr


def test_an_own_definition_hides_the_shipped_one(shop: Shop) -> None:
    shop.define("qa-engineer", "---\nname: qa-engineer\ndescription: Ours.\n---\nOur way.\n")
    shown = shop.pex("agents", "show", "qa-engineer").stdout
    assert "Source       repository: " in shown
    assert "Hides        shipped: " in shown
    assert shown.endswith("Our way.\n")


def test_an_unknown_agent_is_answered_with_the_nearest(shop: Shop) -> None:
    assert 'Did you mean "qa-engineer"' in shop.pex("agents", "show", "qa-enginer", ends=2).stderr
    broken = shop.define("mine", "---\nname: x\npex: {memory: much}\n---\n")
    assert f"{broken}:3:" in shop.pex("agents", "show", "mine", ends=2).stderr


def test_a_check_ends_with_2_for_errors_and_0_for_warnings(shop: Shop) -> None:
    assert "22 definitions, 0 errors, 0 warnings." in shop.pex("agents", "check").stdout
    doubtful = shop.define("doubtful", "---\nname: doubtful\ntools: Reed\n---\nGo.\n")
    warned = shop.pex("agents", "check")
    assert f'{doubtful}:3: warning: no tool "Reed" is known.' in warned.stdout
    assert "23 definitions, 0 errors, 2 warnings." in warned.stdout
    broken = shop.define("broken", "no definition\n")
    failed = shop.pex("agents", "check", ends=2)
    assert f"{broken}:1: error: the file does not start with frontmatter" in failed.stdout
    assert "leaves out" in failed.stderr
    assert "1 definition, 0 errors" in shop.pex("agents", "check", str(doubtful)).stdout
    assert "no such file" in shop.pex("agents", "check", "nowhere", ends=2).stderr
