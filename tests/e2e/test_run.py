"""Whole runs from the command line, and what they leave behind."""

import json
import os
import textwrap
import time

import pytest

from pex_tui.cli.parser import build_parser
from tests.e2e.conftest import Shell
from tests.waiting import PATIENCE_SECONDS

GATE = 'verify: [["sh", "-c", "! grep -r broken src"]]\n'


def plan(shell: Shell, tasks: str, head: str = "") -> None:
    shell.write("plan.yaml", f"version: 1\ngoal: Try\n{head}tasks:\n{textwrap.indent(tasks, '  ')}")


def branch(shell: Shell) -> str:
    return shell.git("for-each-ref", "--format=%(refname:short)", "refs/heads/pex")


def test_each_task_lands_as_one_commit_and_the_users_branch_waits(shell: Shell) -> None:
    plan(
        shell,
        "- {id: a, command: 'echo two >> src/a.txt', writes: ['src/**']}\n"
        "- {id: b, command: 'echo three >> src/a.txt', writes: ['src/a.txt']}\n"
        "- {id: c, command: 'cat src/a.txt > c.txt', needs: [a, b]}\n"
        "- {id: look, command: ['ls'], writes: []}\n",
    )
    before = shell.git("rev-parse", "HEAD")

    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "first")

    assert ended.returncode == 0, ended.stderr
    assert "all tasks succeeded" in ended.stdout
    assert shell.git("rev-parse", "HEAD") == before
    subjects = shell.git("log", "--format=%s", f"{before}..pex/first").splitlines()
    assert sorted(subjects) == ["a: Try", "b: Try", "c: Try"]
    trailers = shell.git("log", "-1", "--format=%(trailers:key=Pex-Task,valueonly)", "pex/first")
    assert trailers.strip() == "c"

    shell.git("commit", "-q", "--allow-empty", "-m", "By whom?")
    landed = shell.pex("land")
    assert landed.returncode == 0, landed.stderr
    head, line, *_ = landed.stdout.splitlines()
    assert head == "1 commit came onto main since the run began, not by the run itself:"
    assert " By whom? (" in line
    assert sorted((shell.top / "c.txt").read_text().split()) == ["one", "three", "two"]


def test_land_waits_for_a_lock_that_somebody_holds_for_a_moment(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'echo a > a.txt'}\n")
    assert shell.pex("run", "plan.yaml", "--headless").returncode == 0
    lock = shell.write(".git/index.lock", "")
    os.utime(lock, (later := time.time() + 3600, later))  # an old one is removed

    landing = shell.start("land")
    assert landing.stderr is not None
    told = next((line for line in landing.stderr if "index.lock" in line), "")
    lock.unlink()

    assert "git refused, again soon (1 of 6)" in told
    assert landing.communicate(timeout=PATIENCE_SECONDS)[0].startswith("main went forward")
    assert landing.returncode == 0
    assert (shell.top / "a.txt").read_text() == "a\n"


def test_a_failure_skips_what_needs_it_and_the_rest_goes_on(shell: Shell) -> None:
    plan(
        shell,
        "- {id: bad, command: 'exit 3', retries: 0}\n"
        "- {id: after, command: 'true', needs: [bad]}\n"
        "- {id: good, command: 'echo x > x.txt'}\n",
    )

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 1
    assert "needs bad, which failed" in ended.stdout
    assert "x.txt" in shell.git("ls-tree", "--name-only", branch(shell))


def test_nothing_lands_that_fails_the_gate(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'echo broken > src/b.txt'}\n", GATE)

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 4
    assert shell.git("rev-parse", branch(shell)) == shell.git("rev-parse", "HEAD")


CONFLICTING = (
    "- {id: a, command: 'sleep 0.3; echo a > src/a.txt'}\n"
    "- {id: b, command: 'sleep 1.5; echo b > src/a.txt'}\n"
)


def test_a_conflict_is_resolved_by_a_rerun(shell: Shell) -> None:
    plan(shell, CONFLICTING)

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 0
    assert "was rerun" in ended.stdout


HELD = (  # b's version of the file contains a's
    "- {id: a, command: 'sleep 0.3; echo two > src/a.txt'}\n"
    "- {id: b, command: 'sleep 1.5; printf \"two\\nthree\\n\" > src/a.txt'}\n"
)


def test_a_conflict_in_which_one_side_contains_the_other_is_resolved_automatically(
    shell: Shell,
) -> None:
    plan(shell, HELD, GATE)

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 0, ended.stderr
    assert "src/a.txt; resolved by rule" in ended.stdout
    assert "superset; the gate passed" in ended.stdout
    assert "was rerun" not in ended.stdout
    assert shell.git("show", f"{branch(shell)}:src/a.txt") == "two\nthree"
    assert shell.git("log", "--format=%s", f"HEAD..{branch(shell)}") == "b: Try\na: Try"
    (met,) = (
        one
        for one in json.loads(shell.pex("report", "--format", "json").stdout)["conflicts"]
        if one["met_at"] is not None
    )
    assert (met["tasks"], met["decision"], met["decided_by"]) == (["b", "a"], "combined", "pex")


def test_a_conflict_that_was_resolved_automatically_and_fails_the_gate_is_resolved_by_a_rerun(
    shell: Shell,
) -> None:
    both = 'verify: [["sh", "-c", "test $(wc -l < src/a.txt) -lt 2 || test -e again"]]\n'
    again = HELD.replace("'sleep 1.5;", "'test $PEX_ATTEMPT = 1 || touch again; sleep 1.5;")
    plan(shell, again, both)

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 0, ended.stderr
    assert "was resolved by rule (superset), but the gate failed" in ended.stdout
    assert "was rerun" in ended.stdout


def test_a_conflict_is_resolved_as_it_was_resolved_by_hand_before(shell: Shell) -> None:
    plan(shell, CONFLICTING, GATE)
    by_hand = ("--set", "conflict_resolution.auto_resolve=false")
    first = shell.pex("run", "plan.yaml", "--headless", "--name", "first", *by_hand)
    assert first.returncode == 3
    task = shell.pex("resolve", "first").stdout.split("OPEN")[1].split()[0]
    assert shell.pex("resolve", "first", task, "--ours").returncode == 0

    second = shell.pex("run", "plan.yaml", "--headless", "--name", "second")

    assert second.returncode == 0, second.stderr
    assert "src/a.txt; resolved by rule (by you)" in second.stdout
    assert "remembered, as you decided on " in second.stdout
    assert "was rerun" not in second.stdout
    assert shell.git("show", "pex/second:src/a.txt") == task


def test_a_conflict_that_is_left_is_resolved_by_hand(shell: Shell) -> None:
    plan(shell, CONFLICTING)
    ended = shell.pex(
        "run", "plan.yaml", "--headless", "--set", "conflict_resolution.auto_resolve=false"
    )
    assert ended.returncode == 3
    listed = shell.pex("resolve")
    assert listed.returncode == 3
    task = listed.stdout.split("OPEN")[1].split()[0]

    resolved = shell.pex("resolve", branch(shell).removeprefix("pex/"), task, "--ours")

    assert resolved.returncode == 0, resolved.stderr
    assert shell.git("show", f"{branch(shell)}:src/a.txt") == task


def test_what_landed_after_a_conflict_was_met_is_resolved_with_it(shell: Shell) -> None:
    plan(
        shell,
        "- {id: a, command: 'sleep 0.2; echo a > src/a.txt'}\n"
        "- {id: b, command: 'sleep 1; echo b > src/a.txt'}\n"
        "- {id: c, needs: [a], command: 'sleep 2; echo c > src/a.txt'}\n",
    )
    by_hand = ("--set", "conflict_resolution.auto_resolve=false")
    ended = shell.pex("run", "plan.yaml", "--headless", "--name", "late", *by_hand)
    assert ended.returncode == 3

    resolved = shell.pex("resolve", "late", "b", "--ours")

    assert resolved.returncode == 0, resolved.stderr
    assert shell.git("log", "--format=%s", "HEAD..pex/late") == "b: Try\nc: Try\na: Try"
    assert shell.git("show", "pex/late:src/a.txt") == "b"


def test_json_lines_are_all_that_stdout_holds(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'echo hi'}\n")

    ended = shell.pex("run", "plan.yaml", "--headless", "--json")

    events = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["event"] == "run_planned"
    assert events[0]["base"] == shell.git("rev-parse", "HEAD")
    assert [task["id"] for task in events[0]["plan"]["tasks"]] == ["a"]
    assert events[-1]["event"] == "run_finished"
    assert events[-1]["outcome"] == "ok"
    assert events[-1]["metrics"]["makespan_seconds"] > 0


def test_a_resumed_stream_goes_on_where_the_one_before_ended(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'test -e ../../fixed', retries: 0, writes: []}\n")
    first = shell.pex("run", "plan.yaml", "--headless", "--json")

    second = shell.pex("resume", "--headless", "--json", "--slots", "2", "--wait")

    before, after = (
        [json.loads(line) for line in ended.stdout.splitlines()] for ended in (first, second)
    )
    numbers = [event["seq"] for event in (*before, *after)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert after[0]["event"] == "run_adopted"
    assert (after[0]["plan"], after[0]["base"]) == (before[0]["plan"], before[0]["base"])
    assert "plan" not in after[1]
    assert [event["slots"] for event in after if event["event"] == "slots_requested"] == [2]


@pytest.mark.parametrize("option", ["--fail-fast", "--land", "--name=x", "--agent=a=claude"])
def test_what_a_run_keeps_is_refused_when_it_is_resumed(
    option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        build_parser().parse_args(["resume", "7f3a", option])
    assert ended.value.code == 2
    assert "is fixed when a run starts" in capsys.readouterr().err


def test_a_plan_in_a_package_runs_there_and_says_so(shell: Shell) -> None:
    package = shell.top / "packages" / "api"
    package.mkdir(parents=True)
    tool = package / "tool.sh"
    tool.write_text('#!/bin/sh\necho "$PWD" > tool.txt\necho "$PEX_WORKSPACE" >> tool.txt\n')
    tool.chmod(0o755)
    (package / "plan.yaml").write_text(
        "tasks:\n"
        "- {id: a, command: [./tool.sh], writes: [packages/api/tool.txt]}\n"
        "- {id: b, command: 'echo > f.txt', writes: [packages/api/f.txt]}\n"
        "- {id: c, command: 'echo > top.txt', dir: ., writes: [top.txt]}\n"
    )
    shell.git("add", ".")
    shell.git("commit", "-qm", "packages")

    ended = shell.pex("run", "packages/api/plan.yaml", "--headless", "--name", "mono")

    assert ended.returncode == 0, ended.stderr
    assert "Tasks run in packages/api, the plan's folder" in ended.stderr
    changed = shell.git("diff", "--name-only", "HEAD", "pex/mono").splitlines()
    assert changed == ["packages/api/f.txt", "packages/api/tool.txt", "top.txt"]
    where, workspace = shell.git("show", "pex/mono:packages/api/tool.txt").splitlines()
    assert where == f"{workspace}/packages/api"


def test_the_report_comes_in_four_formats(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'echo x > x.txt'}\n")
    shell.pex("run", "plan.yaml", "--headless")

    written = json.loads(shell.pex("report", "--format", "json").stdout)
    assert {"run", "goal", "outcome", "tasks", "conflicts", "metrics"} <= set(written)
    assert "| a |" in shell.pex("report", "--format", "md").stdout
    assert "<html" in shell.pex("report", "--format", "html").stdout
    assert "schedule efficiency" in shell.pex("report").stdout


def test_a_task_finds_the_contracts_environment(shell: Shell) -> None:
    plan(
        shell,
        "- {id: first, command: 'echo hello > $PEX_OUTPUTS/note', writes: []}\n"
        "- id: second\n"
        "  needs: [first]\n"
        "  prompt: Say it\n"
        "  env: {EXTRA: own}\n"
        "  command: 'cat $PEX_INPUTS/note > r.txt; env | grep -E \"PEX_|EXTRA\" >> r.txt'\n",
    )

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 0, ended.stderr
    result = shell.git("show", f"{branch(shell)}:r.txt")
    assert result.startswith("hello")
    names = {line.partition("=")[0] for line in result.splitlines()[1:]}
    assert {
        *("PEX_RUN", "PEX_TASK", "PEX_ATTEMPT", "PEX_SLOT", "PEX_WORKSPACE", "PEX_SOCKET"),
        *("PEX_PORT", "PEX_OUTPUTS", "PEX_INPUTS", "EXTRA"),
    } <= names


def test_a_promise_of_changes_is_kept_or_the_task_has_failed(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'true', expects: changes, retries: 0}\n")

    ended = shell.pex("run", "plan.yaml", "--headless")

    assert ended.returncode == 1
    assert "promised changes" in ended.stdout


def test_uncommitted_work_is_left_out_or_taken_in_as_asked(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'cat src/a.txt > seen.txt'}\n")
    shell.write("src/a.txt", "mine\n")

    shell.pex("run", "plan.yaml", "--headless", "--name", "without")
    shell.pex("run", "plan.yaml", "--headless", "--name", "with", "--include-uncommitted")

    assert shell.git("show", "pex/without:seen.txt") == "one"
    assert shell.git("show", "pex/with:seen.txt") == "mine"
    assert (shell.top / "src/a.txt").read_text() == "mine\n"


def test_landing_at_the_end_moves_the_users_branch(shell: Shell) -> None:
    plan(shell, "- {id: a, command: 'echo two > src/a.txt'}\n")

    ended = shell.pex("run", "plan.yaml", "--headless", "--land")

    assert ended.returncode == 0, ended.stderr
    assert (shell.top / "src/a.txt").read_text() == "two\n"
    assert shell.git("status", "--porcelain", "--untracked-files=no") == ""


@pytest.fixture
def forgotten(shell: Shell) -> Shell:
    """A repository whose run r1 has landed one task and lost its journal."""
    plan(shell, '- {id: a, command: "echo a > a.txt", writes: ["a.txt"]}\n')
    assert shell.pex("run", "plan.yaml", "--headless", "--name", "r1").returncode == 0
    for journal in (shell.top.parent / "state").rglob("journal.db*"):
        journal.unlink()
    return shell


def test_a_run_without_a_journal_is_named_with_what_can_be_done_and_landed(
    forgotten: Shell,
) -> None:
    told = "Run r1 is known by its branch and refs only, as its journal is gone. `pex-tui land r1`"
    for command in (("report", "r1"), ("resume", "r1", "--headless"), ("report",)):
        ended = forgotten.pex(*command)
        assert ended.returncode == 2
        assert told in ended.stderr
        assert "no run" not in (ended.stdout + ended.stderr).lower()

    listed = forgotten.pex("runs")
    assert "no journal" in listed.stdout
    assert told in listed.stderr

    landed = forgotten.pex("land", "r1")
    assert landed.returncode == 0, landed.stderr
    assert "found by its refs, with a landed" in landed.stderr
    assert forgotten.git("show", "main:a.txt") == "a"
