"""Every setting, plan key and option has an effect, or says that it has none."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import fields, replace

import pex_tui
from pex_tui.cli.parser import build_parser
from pex_tui.core.model.plan import Plan, TaskSpec
from pex_tui.planning.fields.declaration import SectionOf, keys_of
from pex_tui.planning.fields.schema import PlanFile, TaskFile
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.settings.load import load_settings
from pex_tui.settings.model import Settings

PACKAGE = Path(pex_tui.__file__).parent
OTHER = {  # for each setting, a value other than the shipped one
    "thread_pool.max_concurrent": "3",
    "thread_pool.emergency_boost": "9",
    "thread_pool.autoscale.enabled": "true",
    "thread_pool.autoscale.min": "2",
    "thread_pool.autoscale.max": "6",
    "thread_pool.memory_per_agent": "64GB",
    "thread_pool.cpu_per_agent": "50%",
    "thread_pool.enforce": "always",
    "thread_pool.on_limit": "kill",
    "conflict_resolution.auto_resolve": "false",
    "conflict_resolution.max_retries": "1",
    "conflict_resolution.fallback_mode": "prompt",
    "conflict_resolution.threshold": "0.5",
    "conflict_resolution.sequential_above": "0.9",
    "conflict_resolution.radar": "off",
    "conflict_resolution.leases": "true",
    "conflict_resolution.silent": "[adjacent]",
    "conflict_resolution.union": "[CHANGELOG.md]",
    "conflict_resolution.remember": "false",
    "conflict_resolution.lock_timeout": "1s",
    "gate.batch": "1",
    "gate.speculate": "false",
    "gate.retries": "0",
    "safety.grace": "1s",
    "safety.isolation": "worktree",
    "safety.protected.paths": "[x/**]",
    "safety.protected.policy": "warn",
    "agents.runner": "codex",
    "agents.use": "{a: codex}",
    "agents.runners": "{mine: {command: [x]}}",
    "agents.permissions.mode": "all",
    "agents.permissions.allow": "[Edit]",
    "agents.permissions.deny": "[Bash]",
    "budget.usd": "1",
    "budget.tokens": "1",
    "compatibility.clusters": "{mine: [a, b]}",
    "compatibility.never": "[[a, b]]",
}
READ_AS = {  # settings that are read where they are used, under these names
    "monitoring.refresh_interval": "monitoring.refresh_interval",
    "monitoring.detail_level": "monitoring.detail_level",
    "monitoring.show_performance": "monitoring.show_performance",
    "monitoring.symbols": "monitoring.symbols",
    "monitoring.theme": "monitoring.theme",
    "monitoring.notify": "monitoring.notify",
    "monitoring.log_limit": "settings.monitoring.log_limit",
    "conflict_resolution.break_cycles": "settings.conflict_resolution.break_cycles",
    "conflict_resolution.merge_tool": "settings.conflict_resolution.merge_tool",
    "thread_pool.processes_per_agent": "pool.processes_per_agent",
    "thread_pool.disk_per_agent": "pool.disk_per_agent",
    "thread_pool.limit_tier": "pool.limit_tier",
    "gate.timeout": "settings.gate.timeout",
    "workspaces.setup": "configured.setup",
    "workspaces.keep": "configured.keep",
    "workspaces.include_file": "configured.include_file",
    "safety.env_pass": "settings.safety.env_pass",
    "safety.sandbox": "safety.sandbox",
    "safety.writable": "safety.writable",
    "safety.network.rate": "network.rate",
    "safety.network.allow": "network.allow",
    "agents.planner": "settings.agents.planner",
    "agents.stall": "settings.agents.stall",
    "keymap": "settings.keymap",
}
PLAN = "tasks:\n- {id: a, command: 'true'}\n- {id: b, command: 'true', isolation: worktree%s}\n"
KEYS = {  # of a task
    "id": "c",
    "command": "ls",
    "agent": None,  # needs a library: tests/planning/plan_file/test_task_resolver.py
    "prompt": "do it",
    "dir": "packages/api",
    "needs": "[a]",
    "reads": "[x]",
    "writes": "[x]",
    "locks": "[db]",
    "beside": "[a]",
    "priority": "high",
    "estimate": "3m",
    "timeout": "20m",
    "retries": "2",
    "memory": "64MB",
    "cpu": "50%",
    "env": "{A: b}",
    "stage": None,  # needs its strategy
    "isolation": "auto",
    "expects": "changes",
    "commit": "x",
    "enabled": "false",
}


def observed(settings: Settings) -> tuple[Any, ...]:
    """Return what runs and people see of settings."""
    return (settings.rules(), settings.runners, settings.default_isolation, settings.notices())


@pytest.fixture(scope="module")
def source() -> str:
    return "\n".join(
        path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
        if "settings" not in path.parts
    )


def test_every_setting_is_known_to_this_test() -> None:
    declared = {".".join(path) for path, one in keys_of(Settings) if one.section is None}

    assert declared == {*OTHER, *READ_AS}


@pytest.mark.parametrize("key", OTHER)
def test_a_setting_changes_what_runs_go_by_or_is_told(key: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    plain, changed = (
        load_settings(None, overrides, environ) for overrides in ([], [f"{key}={OTHER[key]}"])
    )

    assert observed(changed) != observed(plain)


@pytest.mark.parametrize("key", READ_AS)
def test_a_setting_is_read_where_it_is_used(key: str, source: str) -> None:
    assert READ_AS[key] in source


def test_every_plan_key_is_known_to_this_test() -> None:
    assert set(SectionOf(TaskFile).keys) == set(KEYS)


@pytest.mark.parametrize("key", [key for key, value in KEYS.items() if value])
def test_a_plan_key_changes_the_task(key: str) -> None:
    plain = parse_plan(PLAN % "", "plan.yaml", PlanContext()).tasks[1]
    line = PLAN % f", {key}: {KEYS[key]}"
    if key in {"id", "command", "isolation"}:
        old = {"id": "id: b", "command": "'true', iso", "isolation": "worktree"}[key]
        new = {"id": "id: c", "command": "'ls', iso", "isolation": "auto, writes: []"}[key]
        line = (PLAN % "").replace(old, new) if key != "command" else PLAN.replace(old, new) % ""
    changed = parse_plan(line, "plan.yaml", PlanContext()).tasks[1]

    assert changed != plain


@pytest.mark.parametrize("kind", [Plan, TaskSpec])
def test_all_that_a_plan_says_is_read_by_somebody(kind: type, source: str) -> None:
    unread = [field.name for field in fields(kind) if f".{field.name}" not in source]
    assert unread == []


def test_every_key_of_a_plan_file_is_in_the_plan() -> None:
    named = {"tasks", "goal", "base", "slots", "strategy", "verify", "gate", "version", "dir"}
    assert named == set(SectionOf(PlanFile).keys)


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # argparse has no other way to list them
        if isinstance(action, argparse._SubParsersAction):  # likewise
            for child in action.choices.values():
                yield from options(child)
        elif action.dest not in {"help", "version"}:
            yield action.dest


def test_every_option_of_the_command_line_is_read(source: str) -> None:
    unread = {
        name
        for name in options(build_parser())
        if f"options.{name}" not in source and f'options, "{name}"' not in source
    }
    assert unread - {"agent"} == set()  # --agent becomes a setting when parsed


def test_memory_that_no_machine_here_has_is_refused() -> None:
    context = replace(PlanContext(), memory_bytes=16 * 1024**3)
    with pytest.raises(Exception, match="problem") as refused:
        parse_plan(PLAN % ", memory: 64GB", "plan.yaml", context)

    (problem,) = refused.value.problems  # type: ignore[attr-defined]  # a UserError
    assert problem == (
        'plan.yaml:3: task "b": it asks for 64G of memory, and this machine has 16G. Lower it.'
    )
