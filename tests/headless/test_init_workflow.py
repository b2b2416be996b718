"""The workflow that `pex-tui init` writes: its permissions, and its scripts, run for real."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pex_tui.resources import shipped
from tests.waiting import PATIENCE_SECONDS

SCRIPT_FLAGS = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c")
PLAN = """\
version: 1
goal: Write a file
tasks:
  - id: write
    command: echo made > made.txt
    writes: [made.txt]
"""


@dataclass(frozen=True)
class Runner:
    """A checkout and the environment of a workflow's step."""

    top: Path
    temp: Path
    environ: dict[str, str]

    def step(self, name: str, **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*SCRIPT_FLAGS, steps()[name]["run"]],
            cwd=self.top,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def git(self, *args: str) -> str:
        ended = subprocess.run(
            ["git", *args],
            cwd=self.top,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout.strip()


def workflow() -> dict[Any, Any]:
    text = shipped("config/init/pex-tui.yml").read_text(encoding="utf-8")
    content: dict[Any, Any] = yaml.safe_load(text)
    return content


def steps() -> dict[str, dict[str, Any]]:
    return {step.get("name", step.get("uses")): step for step in workflow()["jobs"]["run"]["steps"]}


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    top, home, temp, programs = (tmp_path / name for name in ("top", "home", "temp", "bin"))
    for folder in (top, home, temp, programs):
        folder.mkdir()
    for name, line in {
        "pex-tui": f'exec "{sys.executable}" -m pex_tui "$@"',
        "pipx": 'printf "%s\\n" "$@"',
    }.items():
        (programs / name).write_text(f"#!/bin/sh\n{line}\n")
        (programs / name).chmod(0o755)
    made = Runner(
        top,
        temp,
        {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "LANG": "C.UTF-8",
            "RUNNER_TEMP": str(temp),
            "GITHUB_WORKSPACE": str(top),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        },
    )
    made.git("init", "--quiet", "--initial-branch=main")
    (top / "plan.yaml").write_text(PLAN)
    made.git("add", "-A")
    made.git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "-qm", "init")
    return made


def test_it_starts_by_hand_and_may_only_read() -> None:
    found = workflow()

    assert list(found[True]) == ["workflow_dispatch"]  # YAML reads `on` as true
    assert list(found[True]["workflow_dispatch"]["inputs"]) == ["plan"]
    assert found["permissions"] == {"contents": "read"}
    assert "permissions" not in found["jobs"]["run"]
    assert steps()["actions/checkout@v4"]["with"]["persist-credentials"] is False


def test_no_expression_stands_in_a_script() -> None:
    assert not [name for name, step in steps().items() if "${{" in step.get("run", "")]
    assert steps()["Run the plan"]["env"] == {"PLAN": "${{ inputs.plan }}"}


def test_the_report_is_kept_whatever_happened() -> None:
    for name in ("Report", "Keep the report"):
        assert steps()[name]["if"] == "${{ always() }}"
    assert steps()["Keep the report"]["with"]["path"].endswith("/pex-tui")


@pytest.mark.parametrize(
    ("requirements", "wanted"),
    [
        (None, "pex-tui"),
        ("requests\n", "pex-tui"),
        ("pex-tui-extras==2\nmy-pex-tui==3\n", "pex-tui"),
        ("requests\npex-tui==0.1.0  # pinned\n", "pex-tui==0.1.0"),
        ("pex-tui >= 0.1, < 1; python_version > '3.10'\n", "pex-tui >= 0.1, < 1"),
        ("pex-tui @ git+https://example.org/pex\n", "pex-tui @ git+https://example.org/pex"),
        ("pex-tui\n", "pex-tui"),
    ],
)
def test_it_installs_what_the_repository_asks_for(
    runner: Runner, requirements: str | None, wanted: str
) -> None:
    if requirements is not None:
        (runner.top / "requirements-dev.txt").write_text(requirements)
    ended = runner.step("Install pex-tui")

    assert ended.returncode == 0, ended.stderr
    assert [line.rstrip() for line in ended.stdout.splitlines()] == ["install", wanted]


def test_a_plan_is_run_reported_and_its_commits_are_kept(runner: Runner) -> None:
    ran = runner.step("Run the plan", PLAN="plan.yaml")
    assert ran.returncode == 0, ran.stderr
    reported = runner.step("Report")
    assert reported.returncode == 0, reported.stderr

    out = runner.temp / "pex-tui"
    names = {path.name for path in out.iterdir()}
    assert names == {"events.jsonl", "report.md", "report.json", "commits.bundle"}
    assert '"run_finished"' in (out / "events.jsonl").read_text().splitlines()[-1]
    assert "write" in Path(runner.environ["GITHUB_STEP_SUMMARY"]).read_text()
    runner.git("fetch", str(out / "commits.bundle"), "refs/heads/pex/*:refs/heads/got/*")
    got = runner.git("for-each-ref", "--format=%(refname)", "refs/heads/got")
    assert runner.git("show", f"{got}:made.txt") == "made"


@pytest.mark.parametrize("plan", ["--help", '$(touch hit); touch hit; "; touch hit; "', ""])
def test_what_is_no_plan_is_refused_and_never_run_by_the_shell(runner: Runner, plan: str) -> None:
    ran = runner.step("Run the plan", PLAN=plan)
    reported = runner.step("Report")

    assert ran.returncode == 2
    assert reported.returncode == 0, reported.stderr
    assert (runner.temp / "pex-tui" / "report.md").read_text() == "No run was started.\n"
    assert not (runner.temp / "pex-tui" / "report.json").exists()
    assert not (runner.top / "hit").exists()


def test_a_failing_plan_fails_the_job_and_is_reported(runner: Runner) -> None:
    (runner.top / "bad.yaml").write_text(
        PLAN.replace("echo made > made.txt", "exit 7\n    retries: 0")
    )
    ran = runner.step("Run the plan", PLAN="bad.yaml")
    reported = runner.step("Report")

    assert ran.returncode == 1
    assert reported.returncode == 0, reported.stderr
    assert "failed" in (runner.temp / "pex-tui" / "report.md").read_text()
