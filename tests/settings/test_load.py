from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import FieldInfo, fields

from pex_tui.core.model.ids import AgentName
from pex_tui.core.model.plan import Isolation
from pex_tui.core.model.run_rules import FallbackMode, RunRules
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.fields.documents import read_document
from pex_tui.resources import shipped
from pex_tui.settings.load import Settings, config_home, load_settings, read_settings
from pex_tui.settings.sections import Compatibility

Load = Callable[..., Settings]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from a repository's and a user's text, an environment and overrides."""

    def loaded(
        *overrides: str,
        repository: str | None = None,
        user: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> Settings:
        for text, path in (
            (repository, tmp_path / "repo" / ".pex" / "pex.yaml"),
            (user, tmp_path / "config" / "pex-tui" / "pex.yaml"),
        ):
            if text is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
        places = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "HOME": str(tmp_path)}
        return load_settings(tmp_path / "repo", overrides, places | dict(environ or {}))

    return loaded


@pytest.fixture
def problems(load: Load) -> Callable[..., list[str]]:
    def found(*overrides: str, **layers: str) -> list[str]:
        with pytest.raises(UserError) as caught:
            load(*overrides, **layers)
        assert caught.value.exit_code == 2
        return list(caught.value.problems)

    return found


def test_the_shipped_file_holds_the_declared_defaults(load: Load) -> None:
    text = shipped("config/pex.yaml").read_text("utf-8")

    assert read_settings(read_document(text).content) == Settings() == load()


def test_a_shipped_file_that_somebody_edited_is_read(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    edited = tmp_path / "pex.yaml"
    edited.write_text("gate: {batch: 2, retries: 0}\n", "utf-8")
    monkeypatch.setattr("pex_tui.settings.load.shipped", lambda _: edited)

    settings = load("gate.retries=1")

    assert (settings.gate.batch, settings.gate.retries) == (2, 1)
    assert settings.given.keys() == {("gate", "retries")}


def test_the_shipped_clusters_and_pairs_are_the_specifications(load: Load) -> None:
    assert load().compatibility == Compatibility(
        clusters={
            "investigation": ("error-handler", "qa-engineer", "performance-agent"),
            "architecture": ("swebok-engineer", "architect-agent"),
            "analysis": ("security-agent", "compliance-agent"),
            "testing": ("test-fixer-agent", "obsidian-test-agent", "ui-test-expert"),
        },
        never=(
            ("release-agent", "@writes"),
            ("state-persistence-agent", "state-persistence-agent"),
            ("meta-agent", "agent-factory"),
        ),
    )


def test_each_layer_wins_over_the_one_below(load: Load) -> None:
    layers = {
        "user": "thread_pool: {max_concurrent: 2, emergency_boost: 2, memory_per_agent: 2MB}\n",
        "repository": "thread_pool: {max_concurrent: 3, emergency_boost: 3}\n",
    }
    environ = {"PEX_THREAD_POOL__MAX_CONCURRENT": "4"}
    pool = load(**layers, environ=environ).thread_pool
    assert (pool.max_concurrent, pool.emergency_boost) == (4, 3)
    assert pool.memory_per_agent == 2 * 1024**2
    above = load("thread_pool.max_concurrent=9", **layers, environ=environ)
    assert above.thread_pool.max_concurrent == 9


def test_what_is_given_by_name_is_added_to_what_is_shipped(load: Load) -> None:
    shipped_groups = load().compatibility.clusters

    assert load("compatibility.clusters={}").compatibility.clusters == shipped_groups
    added = load("compatibility.clusters={mine: [a, b], testing: [c]}").compatibility.clusters
    assert added == {**shipped_groups, "mine": ("a", "b"), "testing": ("c",)}


def test_the_specifications_spelling_is_read(load: Load) -> None:
    settings = load(
        repository="""\
Thread_Pool_Config:
  max_concurrent: 7 # Maximum parallel agents
  cpu_per_agent: 10%
Monitoring_Config:
  refresh_interval: 1s
Conflict_Resolution:
  fallback_mode: prompt
"""
    )
    assert settings.thread_pool.max_concurrent == 7
    assert settings.thread_pool.cpu_per_agent == 0.1
    assert settings.monitoring.refresh_interval == 1
    assert settings.conflict_resolution.fallback_mode is FallbackMode.PROMPT


def test_every_problem_is_told_with_its_file_and_line(
    problems: Callable[..., list[str]], tmp_path: Path
) -> None:
    found = problems(
        "budgt.usd=3",
        "nonsense",
        user="thread_pool:\n  max_concurrent: 99\n",
        repository="monitoring:\n  theem: ember\nsafety:\n  grace: soon\n  sandbox: chroot\n",
        environ={"PEX_MONITORING__SYMBOLS": "runes"},
    )
    user_file = tmp_path / "config" / "pex-tui" / "pex.yaml"
    places_and_words = [
        ("--set", "has to look like thread_pool.max_concurrent=3 (KEY=VALUE)."),
        (f"{user_file}:2", 'thread_pool.max_concurrent: "99" is out of range.'),
        (".pex/pex.yaml:2", 'monitoring: unknown key "theem". Did you mean "theme"?'),
        (
            ".pex/pex.yaml:4",
            'safety.grace: "soon" is not a valid duration. Write it as 90s, 3m or 1h30m.',
        ),
        (".pex/pex.yaml:5", 'safety.sandbox: "chroot" is'),
        ("environment variable PEX_MONITORING__SYMBOLS", "one of: emoji, line, ascii."),
        ("--set budgt.usd", 'unknown key "budgt". Did you mean "budget"?'),
    ]
    assert len(found) == len(places_and_words)
    for line, (place, words) in zip(found, places_and_words, strict=True):
        assert line.startswith(place)
        assert words in line


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ("safety.isolation=shared", '"shared" suits single tasks that change nothing.'),
        ("conflict_resolution.fallback_mode=serial", "one of: sequential, prompt, abort."),
        ("conflict_resolution.silent=[union]", "Write one of: superset, adjacent."),
        ("conflict_resolution.silent=superset", "it is text, not a list. Write [superset]."),
        ('conflict_resolution.union=["../x"]', '"../x" leaves the repository.'),
        ("conflict_resolution.max_retries=-1", "Write a number of at least 0."),
        ("conflict_resolution.lock_timeout=0s", "it is zero."),
        ("compatibility.never=[[a]]", "each entry is a pair of agents."),
        ("safety.env_pass=TERM", "it is text, not a list. Write [TERM]."),
        ("safety.network.rate=1MB", "is not a valid rate. Write it as 1MB/s."),
        ("safety.grace=[1", "not readable YAML"),
        ("thread_pool.autoscale=on", 'it takes a mapping, not "on".'),
        ("budget.usd=-1", "Write a number of at least 0."),
    ],
)
def test_a_value_that_makes_no_sense_is_told(
    override: str, problem: str, problems: Callable[..., list[str]]
) -> None:
    found = problems(override)
    assert any(problem in line for line in found)
    assert all(line.startswith(f"--set {override.partition('=')[0]}: ") for line in found)


def test_a_file_that_is_no_mapping_is_told(problems: Callable[..., list[str]]) -> None:
    assert problems(repository="- a\n") == [
        ".pex/pex.yaml:1: this is not a mapping. Start with a section: thread_pool:"
    ]


def test_an_unreadable_file_is_told(problems: Callable[..., list[str]]) -> None:
    (found,) = problems(repository="safety: [\n")
    assert found.startswith(".pex/pex.yaml:2: it is not readable YAML")


def test_empty_files_and_sections_change_nothing(load: Load) -> None:
    assert load(repository="", user="budget:\n") == load()


def test_variables_of_the_agents_and_of_other_programs_are_left_alone(load: Load) -> None:
    environ = {"PEX_RUN": "7f3a", "PEX_SOCKET": "/s", "PEX_ROOT": "/r", "PEX_BUDGET": "3"}
    assert load(environ=environ) == load()


def test_variables_reach_any_depth_whatever_their_case(load: Load) -> None:
    settings = load(
        environ={
            "PEX_BUDGET__USD": "null",
            "PEX_GATE__batch": " 7 ",
            "PEX_AGENTS__USE": "{docs: scripted}",
            "PEX_AGENTS__USE__CODER": "claude",
            "PEX_AGENTS__PERMISSIONS__ALLOW": "[Read, Bash(make *)]",
            "PEX_CONFLICT_RESOLUTION__MERGE_TOOL": "",
        }
    )
    assert settings.budget.usd is None
    assert settings.gate.batch == 7
    assert settings.agents.use == {"docs": "scripted", "coder": "claude"}
    assert settings.agents.permissions.allow == ("Read", "Bash(make *)")
    assert settings.conflict_resolution.merge_tool is None


def test_an_unknown_variable_of_a_section_is_told(load: Load) -> None:
    with pytest.raises(UserError) as told:
        load(environ={"PEX_GATE__BATHC": "1", "PEX_AGENTS__PERMISSIONS__ALOW__X": "1"})
    first, second = sorted(told.value.problems)
    assert "environment variable PEX_AGENTS__PERMISSIONS__ALOW__X" in first
    assert "environment variable PEX_GATE__BATHC" in second


def test_lists_and_nothing_can_be_set_in_one_line(load: Load) -> None:
    settings = load("safety.env_pass=[A, B]", "workspaces.setup=npm ci: now", "budget.usd=null")
    assert settings.safety.env_pass == ("A", "B")
    assert settings.workspaces.setup == ("sh", "-c", "npm ci: now")
    assert settings.budget.usd is None


def test_rules_fix_what_a_run_is_decided_by(load: Load) -> None:
    settings = load(
        "compatibility.clusters={}",
        "conflict_resolution.max_retries=1",
        "conflict_resolution.silent=[adjacent, superset, adjacent]",
        "conflict_resolution.union=[CHANGELOG.md]",
    )
    agents = [
        AgentDefinition(AgentName("a"), cluster="docs"),
        AgentDefinition(AgentName("b"), cluster="docs"),
        AgentDefinition(AgentName("c")),
    ]
    rules = settings.rules(slots=12, fail_fast=True, land_at_end=True, agents=agents)
    assert (rules.slots, rules.emergency_slots) == (12, 12)
    assert (rules.fail_fast, rules.land_at_end, rules.max_retries) == (True, True, 1)
    assert rules.silent == ("adjacent", "superset")
    assert rules.path_strategies == (("union", ("CHANGELOG.md",)),)
    assert ("a", "b") in rules.clusters
    assert ("release-agent", "@writes") in rules.never


@pytest.mark.parametrize("field", fields(RunRules), ids=lambda field: field.name)
def test_default_rules_are_those_of_the_core(load: Load, field: FieldInfo) -> None:
    if field.name in {"clusters", "never"}:  # which name agents of the shipped library
        assert field.default == ()
    elif field.name in {"protect", "protected"}:  # recorded runs without them protect nothing
        assert not field.default
    else:
        assert getattr(load().rules(), field.name) == field.default


def test_workspaces_are_isolated_as_each_task_needs_it(load: Load) -> None:
    assert load().default_isolation is Isolation.AUTO


def test_nothing_is_said_of_settings_that_nobody_made(load: Load) -> None:
    assert load().notices() == ()


@pytest.mark.parametrize(
    ("override", "notice"),
    [
        ("thread_pool.autoscale.enabled=true", "slots do not scale automatically"),
        ("thread_pool.autoscale.max=6", "slots do not scale automatically"),
    ],
)
def test_settings_that_this_version_does_not_act_on_are_told(
    override: str, notice: str, load: Load
) -> None:
    (found,) = load(override).notices()
    assert notice in found
    assert found.endswith("in this version.")


def test_the_configuration_folder_follows_the_xdg_specification() -> None:
    assert config_home({"XDG_CONFIG_HOME": "/c", "HOME": "/h"}) == Path("/c/pex-tui")
    assert config_home({"XDG_CONFIG_HOME": "relative", "HOME": "/h"}) == Path("/h/.config/pex-tui")
    assert config_home({"HOME": "/h"}) == Path("/h/.config/pex-tui")


def test_a_key_is_moved_on_the_command_line_by_its_name(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, ["keymap.agent.retry=ctrl+r"], {"HOME": str(tmp_path)})

    assert settings.keymap == {"agent.retry": "ctrl+r"}
