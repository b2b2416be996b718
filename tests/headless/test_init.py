"""`pex-tui init`: what it writes, keeps and refuses, and the effect of its files."""

import json
import os
import re
import resource
import shlex
import stat
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from pex_tui.application.project.init_files import commented_out
from pex_tui.resources import shipped
from pex_tui.settings.load import load_settings
from tests.first_commits import Repositories
from tests.pex_process import run_pex

SETTINGS = ".pex/pex.yaml"
COMMAND = ".claude/commands/execute.md"
WORKFLOW = ".github/workflows/pex-tui.yml"
ALL = {SETTINGS, ".pex/.gitignore", COMMAND, WORKFLOW}
EXIT_CODES = ("0", "1", "2", "3", "4", "5", "6", "130")


@dataclass(frozen=True)
class Project:
    """A small repository, and pex-tui in it."""

    path: Path
    environ: dict[str, str]

    def git(self, *args: str) -> str:
        ended = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env=self.environ,
            check=True,
            capture_output=True,
            text=True,
        )
        return ended.stdout.strip()

    def pex(
        self, *args: str, ends: int = 0, cwd: Path | None = None, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        ended = run_pex(*args, cwd=cwd or self.path, env=self.environ, **options)
        assert ended.returncode == ends, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def entries(self) -> set[str]:
        """Return everything in the checkout but README.md and git's own folder."""
        found = (path.relative_to(self.path) for path in self.path.rglob("*"))
        return {str(path) for path in found if path.parts[0] not in {".git", "README.md"}}

    def files(self) -> set[str]:
        return {name for name in self.entries() if (self.path / name).is_file()}


@pytest.fixture
def project(tmp_path: Path, repositories: Repositories) -> Project:
    path, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    repositories.make(path, (("init", {"README.md": "# Project\n"}),))
    (home / ".gitconfig").write_text(
        "[user]\n name = Ada\n email = ada@example.org\n[init]\n defaultBranch = main\n"
    )
    return Project(
        path,
        {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_STATE_HOME": str(tmp_path / "state"),
            "LANG": "C.UTF-8",
        },
    )


# -- what is written -----------------------------------------------------------------------------


def test_every_file_is_written_and_told_line_by_line(project: Project) -> None:
    told = project.pex("init").stdout.splitlines()

    assert project.files() == ALL
    assert told[0] == f"In {project.path}:"
    assert {line.split()[1] for line in told[1:]} == ALL
    assert {line.split()[0] for line in told[1:]} == {"wrote"}
    assert all(len(line.split()) > 2 for line in told[1:])


def test_a_subfolder_and_an_option_lead_to_the_top_of_the_repository(project: Project) -> None:
    below = project.path / "src" / "deep"
    below.mkdir(parents=True)
    project.pex("init", cwd=below)
    assert project.files() == ALL

    project.pex("init", "--force", "--repo", str(project.path), cwd=project.path.parent)
    assert project.files() == ALL


def test_a_repository_without_a_commit_will_do(project: Project) -> None:
    fresh = project.path.parent / "fresh"
    project.git("init", "--quiet", str(fresh))
    project.pex("init", "--repo", str(fresh))

    assert (fresh / COMMAND).is_file()


def test_a_second_time_changes_nothing_and_says_so(project: Project) -> None:
    project.pex("init")
    before = {name: (project.path / name).stat().st_mtime_ns for name in ALL}
    told = project.pex("init").stdout

    assert told.count("unchanged") == len(ALL)
    assert {name: (project.path / name).stat().st_mtime_ns for name in ALL} == before
    assert project.pex("init", "--force").stdout.count("unchanged") == len(ALL)


def test_what_is_there_is_kept_and_the_rest_is_written(project: Project) -> None:
    project.write(COMMAND, "mine\n")
    told = project.pex("init").stdout

    assert project.read(COMMAND) == "mine\n"
    assert project.files() == ALL
    kept = next(line for line in told.splitlines() if COMMAND in line)
    assert kept.split()[0] == "kept"
    assert "--force" in kept


def test_force_writes_over_it_and_keeps_its_mode(project: Project) -> None:
    project.write(COMMAND, "mine\n").chmod(0o640)
    told = project.pex("init", "--force").stdout

    assert "allowed-tools" in project.read(COMMAND)
    assert stat.S_IMODE((project.path / COMMAND).stat().st_mode) == 0o640
    assert f"replaced   {COMMAND}" in told
    assert project.files() == ALL

    listed = json.loads(project.pex("recover", "--json").stdout)
    assert [one["command"] for one in listed] == ["init --force"]
    project.pex("recover", listed[0]["id"])
    assert project.read(f"{COMMAND}.recovered-{listed[0]['id']}") == "mine\n"


def test_a_new_file_is_as_open_as_the_users_umask_says(project: Project) -> None:
    project.pex("init", umask=0o027)

    assert stat.S_IMODE((project.path / COMMAND).stat().st_mode) == 0o640


def test_broken_settings_can_be_replaced(project: Project) -> None:
    project.write(SETTINGS, "thread_pool: {max_concurrent: many}\n")
    project.pex("init", "--force")

    assert project.pex("runs").returncode == 0


def test_a_link_within_the_repository_is_followed(project: Project) -> None:
    project.write("tools/claude/keep", "")
    (project.path / ".claude").symlink_to("tools/claude")
    project.pex("init")

    assert (project.path / "tools/claude/commands/execute.md").is_file()
    assert (project.path / ".claude").is_symlink()


def test_a_linked_file_within_the_repository_is_replaced_where_it_is(project: Project) -> None:
    real = project.write("tools/execute.md", "mine\n")
    (project.path / COMMAND).parent.mkdir(parents=True)
    (project.path / COMMAND).symlink_to("../../tools/execute.md")
    project.pex("init", "--force")

    assert (project.path / COMMAND).is_symlink()
    assert "allowed-tools" in real.read_text()


# -- what is refused -----------------------------------------------------------------------------


def test_outside_a_repository_nothing_is_written(project: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    told = project.pex("init", cwd=elsewhere, ends=2).stderr

    assert "not in a git repository" in told
    assert list(elsewhere.iterdir()) == []


def test_everything_in_the_way_is_told_at_once_and_nothing_is_written(
    project: Project, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (project.path / COMMAND).mkdir(parents=True)  # a folder in the way of the file
    project.write(".github", "a file in the way of the folder\n")
    (project.path / ".pex").symlink_to(outside)
    before = project.entries()
    ended = project.pex("init", ends=2)

    assert ended.stdout == ""
    assert f"{COMMAND}: this is a folder" in ended.stderr
    assert f"{WORKFLOW}: .github is a file, not a folder" in ended.stderr
    assert f"{SETTINGS}: a link leads out of the repository, to {outside}" in ended.stderr
    assert "4 problems" in ended.stderr
    assert "nothing was written" in ended.stderr
    assert project.entries() == before
    assert list(outside.iterdir()) == []


def test_force_does_not_write_through_a_link_that_leads_out(
    project: Project, tmp_path: Path
) -> None:
    theirs = tmp_path / "execute.md"
    theirs.write_text("theirs\n")
    (project.path / COMMAND).parent.mkdir(parents=True)
    (project.path / COMMAND).symlink_to(theirs)

    assert "leads out of the repository" in project.pex("init", "--force", ends=2).stderr
    assert f"kept       {COMMAND}" in project.pex("init").stdout
    assert theirs.read_text() == "theirs\n"


@pytest.mark.parametrize(
    ("link", "to", "words"),
    [
        (COMMAND, "nowhere", f"{COMMAND}: this is a dangling link"),
        (".claude", "nowhere", f"{COMMAND}: .claude is a dangling link"),
        (".claude", ".claude", f"{COMMAND}: "),
        (COMMAND, "execute.md", f"{COMMAND}: "),
    ],
)
def test_links_that_lead_nowhere_are_told(project: Project, link: str, to: str, words: str) -> None:
    (project.path / link).parent.mkdir(parents=True, exist_ok=True)
    (project.path / link).symlink_to(to)
    before = project.entries()

    assert words in project.pex("init", ends=2).stderr
    assert project.entries() == before


def test_what_is_no_plain_file_is_told(project: Project) -> None:
    (project.path / ".pex").mkdir()
    os.mkfifo(project.path / SETTINGS)

    assert f"{SETTINGS}: this is not a plain file" in project.pex("init", ends=2).stderr
    assert project.files() == set()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_told(project: Project) -> None:
    (project.path / ".github").mkdir(mode=0o500)

    assert "no permission to write in" in project.pex("init", ends=2).stderr
    assert project.files() == set()


@pytest.mark.parametrize("most_bytes", [0, 200, 4000])
def test_a_disk_that_takes_no_more_leaves_everything_as_it_was(
    project: Project, most_bytes: int
) -> None:
    project.write(WORKFLOW, "mine\n")
    before = project.entries()
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    compiles_nothing = {"PYTHONDONTWRITEBYTECODE": "1"}  # it would keep what was cut short
    limited = replace(project, environ=project.environ | compiles_nothing)
    told = limited.pex("init", "--force", ends=2, preexec_fn=limit).stderr

    assert "File too large" in told
    assert project.entries() == before
    assert project.read(WORKFLOW) == "mine\n"


# -- the settings --------------------------------------------------------------------------------


def test_the_settings_change_nothing(project: Project) -> None:
    project.pex("init")
    without = load_settings(None, (), {"HOME": "/nowhere"})

    assert load_settings(project.path, (), {"HOME": "/nowhere"}) == without
    content = yaml.safe_load(project.read(SETTINGS))
    assert set(content) >= {"thread_pool", "safety", "budget"}
    assert not any(content.values())


def test_the_settings_are_the_shipped_ones_commented_out(project: Project) -> None:
    project.pex("init")
    settings = project.read(SETTINGS).partition("\n\n")[2]
    restored = re.sub(r"^( {0,6})# ", r"\1", settings, flags=re.MULTILINE)

    defaults = shipped("config/pex.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(restored) == yaml.safe_load(defaults)


def test_one_setting_is_changed_by_removing_its_mark(project: Project) -> None:
    project.pex("init")
    text = project.read(SETTINGS).replace("  # max_concurrent: 5 ", "  max_concurrent: 3 ")
    project.write(SETTINGS, text)

    assert load_settings(project.path, (), {"HOME": "/nowhere"}).thread_pool.max_concurrent == 3


def test_comments_stay_comments_and_sections_stay_open() -> None:
    text = (
        "# head\n# more\n\nbudget:   # when\n  usd: null  # dollars\n    # and so on\nkeymap: {}\n"
        "safety:\n  paths:  # globs\n    - a\n"
    )

    assert commented_out(text) == (
        "\nbudget:   # when\n  # usd: null  # dollars\n      # and so on\n# keymap: {}\n"
        "safety:\n  # paths:  # globs\n    # - a\n"
    )


# -- /execute ------------------------------------------------------------------------------------


def test_the_plan_of_execute_is_all_that_git_ignores(project: Project) -> None:
    project.pex("init")
    project.pex("plan", "Find out why it fails", "-o", ".pex/plan.yaml")
    project.git("add", "-A")

    assert set(project.git("diff", "--cached", "--name-only").split()) == ALL


def test_the_command_says_what_it_is_and_may_run_pex_tui_only(project: Project) -> None:
    project.pex("init")
    _, front, body = project.read(COMMAND).split("---\n", 2)
    matter = yaml.safe_load(front)

    assert set(matter) == {"description", "argument-hint", "allowed-tools"}
    assert matter["allowed-tools"] == "Bash(pex-tui:*), Read"
    assert body.count("$ARGUMENTS") == 1
    assert body.count("$") == 1  # nothing else in it is replaced
    assert "!`" not in body  # nor run
    assert all(f"\n| {code} | " in body for code in EXIT_CODES)


def test_every_command_in_it_is_one_that_pex_tui_knows(project: Project) -> None:
    project.pex("init")
    blocks = project.read(COMMAND).split("```sh\n")[1:]
    commands = [block.split("\n", 1)[0].partition(" <<")[0] for block in blocks]

    assert len(commands) == 3
    for command in commands:
        program, name, *arguments = shlex.split(command)
        assert program == "pex-tui"
        options = project.pex(name, "--help").stdout
        assert all(word in options for word in arguments if word.startswith("-") and word != "-")


def test_its_heredoc_hands_on_a_hostile_goal_as_it_is(project: Project, tmp_path: Path) -> None:
    project.pex("init")
    block = project.read(COMMAND).split("```sh\n")[1].split("```")[0]
    goal = 'Find out why "it" fails $(touch one) `touch two` it\'s ; touch three ${HOME} \\ !!'
    script = block.replace("the goal, exactly as it stands above", goal)
    programs = tmp_path / "bin"
    programs.mkdir()
    launcher = programs / "pex-tui"
    launcher.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pex_tui "$@"\n')
    launcher.chmod(0o755)
    environ = {**project.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    for _ in range(2):  # the first plan is in the way of the second
        subprocess.run(["bash", "-c", script], cwd=project.path, env=environ, check=True)

    plan = yaml.safe_load(project.read(".pex/plan.yaml"))
    assert plan["goal"].split() == goal.split()
    assert project.files() == ALL | {".pex/plan.yaml"}
