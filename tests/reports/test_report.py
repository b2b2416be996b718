"""Reports of small runs: for a person, a pull request, a browser and a script."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from pex_tui.core.events.agent_events import AgentSpent
from pex_tui.core.events.landing_events import GateFinished, MergeConflicted, WorkMerged
from pex_tui.core.events.overlap_events import OverlapSeen
from pex_tui.core.events.run_events import (
    AgentExited,
    ConflictDecided,
    Noticed,
    RunDrainRequested,
    RunFinished,
    RunLanded,
    RunPauseRequested,
    RunResumeRequested,
)
from pex_tui.core.model.conflict import ConflictPath, Decision
from pex_tui.core.model.ids import CommitId, TaskId
from pex_tui.core.model.plan import Brief, Plan
from pex_tui.core.model.run_rules import ProtectPolicy, RunRules
from pex_tui.core.model.task_state import FailureKind
from pex_tui.core.outcome import conclude
from pex_tui.reports.html import render_html
from pex_tui.reports.json_text import json_text
from pex_tui.reports.markdown import render_markdown
from pex_tui.reports.report import Report, make_report, report_object
from pex_tui.reports.text import render_text
from tests.core.world import BASE, World, task

GATE = (("pytest", "-q"),)
A, B = TaskId("a"), TaskId("b")
HOSTILE = "\x1b[31m<script>alert(1)</script>\u202e[x](javascript:y) | `z`"


def finished(run: World) -> Report:
    run.send(RunFinished(*conclude(run.state)))
    return make_report(run.events)


def work(run: World, name: str, *files: str, seconds: float = 10) -> None:
    """Run the task for so long, and land what it changed."""
    run.run(name)
    run.now += seconds
    run.finish(name, *files)


def landed_run() -> World:
    run = World(
        Plan(
            (task("a", commit_message="fix: round half up\n\nLong story."), task("b", "a")),
            goal="Mend the shop",
        ),
        RunRules(slots=2),
    )
    work(run, "a", "money.py", "stock.py")
    work(run, "b")
    return run


def conflicting_run() -> World:
    rules = RunRules(auto_resolve=False)
    run = World(Plan((task("a"), task("b"), task("c", "b"))), rules)
    work(run, "a", "x.py")
    run.exit("b")
    run.capture("b", "x.py")
    run.send(MergeConflicted(B, 1, BASE, (ConflictPath("x.py"),), (A,)))
    return run


def gated_run(output: str = "F\n1 failed") -> World:
    run = World(Plan((task("a"), task("b", "a")), verify=GATE), RunRules(gate_retries=0))
    run.exit("a")
    run.capture("a", "x.py")
    run.merge("a")
    for commit, passed in ((run.task("a").candidate, False), (BASE, True)):
        assert commit is not None
        run.send(GateFinished(A, 1, commit, passed, 2.0, "pytest -q", output))
    return run


def test_a_report_says_what_landed_and_what_to_do_next() -> None:
    text = render_text(finished(landed_run()))

    assert "Run r1: all tasks succeeded (exit 0)" in text
    assert "2 of 2 tasks done, 1 commit on pex/r1, from main at bbbbbbbbb, in 0:20" in text
    assert "✓ a" in text
    assert "landed 000000000, 2 files: fix: round half up" in text
    assert "pex-tui land r1" in text
    assert "land it on main" in text
    assert "git log bbbbbbbbb..pex/r1" in text
    assert "resume" not in text


def test_a_report_says_the_bound_with_every_efficiency() -> None:
    text = render_text(finished(landed_run()))

    assert "0:20 total; best possible 0:20 (schedule efficiency 100%)" in text
    assert "parallel efficiency 50% of at most 50% on this graph" in text
    assert "one agent alone would have been as fast" in text


def test_a_red_gate_is_told_with_the_end_of_its_output_and_who_was_skipped() -> None:
    report = finished(gated_run())
    text = render_text(report)

    assert report.exit_code == 4
    assert "a gate failed (exit 4)" in text
    assert "✗ a: the gate failed: pytest -q" in text
    assert "      1 failed" in text
    assert "skipped: needs a, which failed" in text
    assert "pex-tui resume r1" in text
    assert "retry the failed tasks" in text


def test_an_open_conflict_is_told_with_the_command_that_resolves_it() -> None:
    report = finished(conflicting_run())
    text = render_text(report)

    assert report.exit_code == 3
    assert "write  b × a: x.py; OPEN: waits for a decision" in text
    assert "pex-tui resolve r1 b --ours|--theirs|--edit|--rerun" in text


def test_changes_to_protected_paths_are_told_until_somebody_decides_and_how() -> None:
    run = World(Plan((task("a"),)), RunRules(protect=ProtectPolicy.ASK))
    run.exit("a")
    run.capture("a", "ci.sh")
    run.send(WorkMerged(A, 1, BASE, run.commit(), protected=("ci.sh",)))
    text = render_text(make_report(run.events))
    assert "protected  a: ci.sh; OPEN: waits for a decision" in text
    assert "pex-tui resolve r1 a --ours|--theirs|--edit|--rerun|--abort" in text

    run.send(ConflictDecided(A, Decision.THEIRS, run.commit(), "ada"))

    assert "protected  a: ci.sh; left out (by ada)" in render_text(make_report(run.events))


def test_what_was_left_out_does_not_count_as_landed() -> None:
    run = World(Plan((task("a"),)), RunRules(protect=ProtectPolicy.ASK))
    run.exit("a")
    run.capture("a", "ci.sh", "x")
    run.send(WorkMerged(A, 1, BASE, run.commit(), protected=("ci.sh",)))
    run.send(ConflictDecided(A, Decision.THEIRS, run.commit(), "ada"))
    run.land("a")

    landed = run.task("a").landed or ""
    assert f"landed {landed[:9]}, 1 file:" in render_text(make_report(run.events))


def test_a_resolved_conflict_says_how_and_by_whom() -> None:
    run = conflicting_run()
    run.now += 30
    run.send(ConflictDecided(B, Decision.EDITED, run.commit(), "ada"))
    run.land("b")
    work(run, "c")

    text = render_text(finished(run))

    assert "b × a: x.py; edited by hand (by ada), 0:30" in text


def test_an_interrupted_run_says_how_to_go_on() -> None:
    run = World(Plan((task("a"), task("b", "a"))), RunRules())
    run.run("a")
    run.send(RunDrainRequested("signal"))
    run.finish("a", "x.py")

    text = render_text(finished(run))

    assert "interrupted, state saved (exit 130)" in text
    assert "pex-tui resume r1" in text
    assert "continue it" in text


def test_time_in_which_the_run_stood_still_is_told_apart() -> None:
    run = World(Plan((task("a"),)), RunRules())
    run.run("a")
    run.send(RunPauseRequested("you"))
    run.now += 90
    run.send(RunResumeRequested("you"))
    run.now += 10
    run.finish("a")

    text = render_text(finished(run))

    assert "in 0:10\n" in text
    assert "not counted: 1:30 waiting for you" in text


def test_a_run_that_goes_on_has_no_outcome_yet() -> None:
    run = World(Plan((task("a"),)), RunRules())
    run.run("a")
    run.now += 5
    run.send(RunPauseRequested("you"))
    report = make_report(run.events)

    text, found = render_text(report), report_object(report)

    assert "Run r1: not finished\n" in text
    assert "0:05" in text
    assert (found["outcome"], found["exit_code"]) == (None, None)


def test_a_run_from_a_detached_head_is_merged_by_hand() -> None:
    run = landed_run()
    run.events[0] = replace(run.planned, target=None)

    text = render_text(finished(run))

    assert "git merge pex/r1" in text
    assert "pex-tui land" not in text


def test_a_run_that_was_brought_to_its_branch_needs_no_landing() -> None:
    run = landed_run()
    run.send(RunFinished(*conclude(run.state)), RunLanded("main", CommitId("c"), "fast-forward"))

    text = render_text(make_report(run.events))

    assert "landed: fast-forward" in text
    assert "pex-tui land" not in text


def test_notices_are_told_once() -> None:
    run = landed_run()
    run.send(Noticed("Submodules are not checked out."), Noticed("Submodules are not checked out."))

    assert render_text(finished(run)).count("Submodules") == 1


def test_every_line_fits_whatever_the_run_was_called() -> None:
    run = World(
        Plan((task("a" * 40, prompt="p" * 300, commit_message="c" * 300),), goal="g" * 300),
        RunRules(),
    )
    run.exit("a" * 40, code=1)
    run.send(Noticed("n " * 200))

    lines = render_text(make_report(run.events)).splitlines()

    assert max(map(len, lines)) <= 100
    assert lines == [line.rstrip() for line in lines]


class Page(HTMLParser):
    """A browser's view of a page: its tags, its text, its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, set[str]] = {}
        self.words = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, set()).add(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def hostile_report() -> Report:
    run = gated_run(f"{HOSTILE}\n{HOSTILE}")
    run.send(Noticed(HOSTILE))
    plan = replace(run.planned.plan, goal=HOSTILE)
    run.events[0] = replace(run.planned, target=HOSTILE, plan=plan)
    return finished(run)


def test_text_from_outside_can_neither_steer_a_terminal_nor_a_browser() -> None:
    report = hostile_report()

    for text in (render_text(report), render_markdown(report), render_html(report)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    page = Page(render_html(report))
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in page.words


def test_text_from_outside_is_no_markup_in_markdown() -> None:
    text = render_markdown(hostile_report())

    outside_blocks = [line for line in text.splitlines() if not line.startswith("    ")]
    assert not any("<script>" in line.replace("\\<", "") for line in outside_blocks)
    assert not any("[x](" in line for line in outside_blocks)


def test_a_page_needs_nothing_from_anywhere() -> None:
    page = Page(render_html(finished(conflicting_run())))

    assert not {"script", "link", "img", "iframe"} & set(page.tags)
    assert not {"src", "href"} & set(page.attributes)
    assert page.tags.count("style") == 1
    assert "prefers-color-scheme:dark" in page.words
    assert any("default-src 'none'" in value for value in page.attributes["content"])


def test_a_page_shows_the_same_figures_as_the_text() -> None:
    page = Page(render_html(finished(landed_run())))

    for words in ("2 of 2", "tasks done", "schedule efficiency", "fix: round half up", "0:20"):
        assert words in page.words


def test_a_page_draws_each_attempt_where_it_was() -> None:
    page = Page(render_html(finished(landed_run())))

    assert {"a: running 0:10", "b: running 0:10"} <= page.attributes["title"]
    assert any(
        style.startswith("left:50.00%;width:max(2px,50.00%") for style in page.attributes["style"]
    )


def test_a_report_as_json_has_what_the_contract_names() -> None:
    found = json.loads(json.dumps(report_object(finished(conflicting_run()))))

    assert set(found) == {
        "run", "goal", "outcome", "exit_code", "base", "branch", "tasks", "conflicts", "metrics",
        "denied", "sequential", "prediction", "flaky_gates", "notices", "sandbox",
    }  # fmt: skip
    assert found["tasks"][0].keys() >= {
        "id", "agent", "outcome", "attempts", "started_at", "finished_at", "commit", "files",
        "waits",
    }  # fmt: skip
    assert found["conflicts"][0].keys() >= {
        "kind", "tasks", "files", "foreseen_at", "seen_at", "met_at", "decision", "decided_by",
        "cost_seconds", "reason", "steps",
    }  # fmt: skip
    (conflict,) = found["conflicts"]
    assert (conflict["kind"], conflict["tasks"], conflict["files"]) == (
        "write",
        ["b", "a"],
        ["x.py"],
    )
    assert (conflict["decision"], conflict["decided_by"]) == (None, None)
    assert found["metrics"]["conflict_rate"] == 0.5


def test_who_was_not_started_for_lack_of_budget_is_told_with_what_to_do() -> None:
    brief = Brief("claude", "claude")
    tasks = (task("a", brief=brief), task("b", "a", brief=brief))
    run = World(Plan(tasks), RunRules(budget_tokens=100))
    run.run("a")
    run.send(AgentSpent(A, 1, 150, None, 1))
    run.finish("a")
    text = render_text(finished(run))

    assert "not started: the budget is used up (150 of 100 tokens)" in text
    assert "continue it, with a fresh budget" in text


def test_attempts_of_a_task_are_all_counted_and_the_last_one_is_its_time() -> None:
    run = World(Plan((task("a", retries=0),)), RunRules())
    run.run("a")
    run.now += 7
    run.send(AgentExited(A, 1, 1, run.now, FailureKind.EXIT, "exit code 1"))
    run.capture("a")
    report = finished(run)

    (entry,) = report_object(report)["tasks"]

    assert (entry["outcome"], entry["attempts"]) == ("failed", 1)
    assert "✗ a" in render_text(report)
    assert "0:07" in render_text(report)


Render = Callable[[Report], str]


@pytest.mark.parametrize("render", [render_text, render_markdown, render_html])
def test_a_run_that_has_only_been_planned_can_be_reported(render: Render) -> None:
    run = World(Plan((task("a"),)), RunRules())

    assert "r1" in render(make_report(run.events[:1]))


@pytest.mark.parametrize("render", [render_text, render_markdown, render_html])
def test_a_failed_task_shows_the_end_of_its_log(
    tmp_path: Path, render: Callable[[Report], str]
) -> None:
    run = World(Plan((task("a", retries=0),)), RunRules())
    run.exit("a", code=3)
    run.capture("a")
    log = tmp_path / "output.log"
    log.write_bytes(b"early\n" * 5000 + b"err-\x1b[31mline\xff\n\n")

    report = make_report(run.events, lambda *_: log)

    assert "line" in render(report)
    assert "\x1b" not in render(report)
    [entry] = report_object(report)["tasks"]
    assert entry["log"] == str(log)
    assert entry["output"][-1].startswith("err-")


def test_a_failed_task_without_a_log_says_only_why(tmp_path: Path) -> None:
    run = World(Plan((task("a", retries=0),)), RunRules())
    run.exit("a", code=3)
    run.capture("a")

    text = render_text(make_report(run.events, lambda *_: tmp_path / "none.log"))

    assert "✗ a: exit 3\n" in text


def overlapping_then_conflicting_run() -> World:
    """A conflict that was overlapping, then met at landing, then resolved by a rerun."""
    run = World(Plan((task("a", writes=None), task("b", writes=None))), RunRules())
    run.run("a")
    run.run("b")
    run.now += 7
    run.send(OverlapSeen(A, B, (ConflictPath("x.py", lines="3–5"),)))
    run.now += 5
    run.finish("a", "x.py")
    run.exit("b")
    run.capture("b", "x.py")
    run.send(MergeConflicted(B, 1, run.task("a").landed or BASE, (ConflictPath("x.py"),), (A,)))
    work(run, "b", "x.py")
    return run


STORY = (
    "overlapping after 0:07, conflicting after 0:12",
    "after 0:07 you were warned (conflict_resolution.radar is warn)",
    "after 0:12 the task was rerun on the latest commit (rerun 1 of 3, at once",
)


def test_the_story_of_a_conflict_says_when_and_why() -> None:
    text = render_text(finished(overlapping_then_conflicting_run()))

    assert "write  b × a: x.py; the task was rerun on the latest commit, 0:12" in text
    for words in STORY:
        assert words in text
    assert "conflict prediction: precision –, recall 0%" in text
    assert "not predicted: a × b" in text
    assert "1 overlap seen while running" in text


def test_many_tasks_that_one_reason_kept_apart_are_told_in_one_line() -> None:
    run = World(
        Plan(tuple(task(f"t{number}", writes=("src/**",)) for number in range(12))), RunRules()
    )
    for number in range(12):
        work(run, f"t{number}", f"src/{number}.py", seconds=1)
    report = finished(run)

    told = [line for line in render_text(report).splitlines() if "both write src/**" in line]
    assert len(told) == 1
    assert "12 tasks (t0, t1, t2, t3, t4 and 7 more)" in told[0]
    assert "1:06" in told[0]  # 11 + 10 + … + 1 seconds of waiting
    assert render_markdown(report).count("both write src/") == 1


@pytest.mark.parametrize("render", [render_markdown, render_html])
def test_the_story_is_told_in_tables_as_well(render: Render) -> None:
    text = render(finished(overlapping_then_conflicting_run())).replace("\\", "")

    for words in ("predicted", "how it went", "0:07", "0:12", "not predicted: a × b", *STORY[1:]):
        assert words in text


def test_the_story_as_json_has_each_step_with_its_reason() -> None:
    found = json.loads(json.dumps(report_object(finished(overlapping_then_conflicting_run()))))

    (conflict,) = found["conflicts"]
    assert (conflict["seen_at"], conflict["met_at"], conflict["foreseen_at"]) == (107, 112, None)
    assert [step["decision"] for step in conflict["steps"]] == ["warned", "rerun"]
    assert conflict["reason"] == conflict["steps"][-1]["reason"]
    assert (conflict["decided_by"], conflict["cost_seconds"]) == ("pex", 12)
    assert found["prediction"]["missed"] == [["a", "b"]]
    assert found["metrics"]["conflict_recall"] == 0
    assert found["sequential"] is None


def test_predictions_are_held_against_what_was_written() -> None:
    specs = (
        task("a", writes=("x/**",)),
        task("b", writes=("x/**", "docs/**")),
        task("c", writes=("x/**",)),
    )
    run = World(Plan(specs), RunRules())
    for name, path in (("a", "x/1"), ("b", "x/1"), ("c", "x/2")):
        work(run, name, path, *(("stray.py",) if name == "b" else ()))

    text = render_text(finished(run))

    assert "write  b × a: both write x/**; ran one after the other, 0:10" in text
    assert "predicted before the start" in text
    assert "conflict prediction: precision 33%, recall 100%" in text
    assert "false alarms: a × c, b × c" in text
    assert "write-set prediction: precision 75% (of 4 globs), recall 75% (of 4 written" in text
    assert "written unexpectedly: b stray.py" in text


def test_a_run_that_went_on_one_by_one_says_since_when_and_why() -> None:
    run = World(Plan((task("a"), task("b"))), RunRules(auto_resolve=False))
    work(run, "b", "x.py", seconds=12)
    run.exit("a")
    run.capture("a", "x.py")
    run.send(MergeConflicted(A, 1, BASE, (ConflictPath("x.py"),), (B,)))
    report = finished(run)

    assert (
        "from 0:12 on, tasks that write ran one at a time: a has an open conflict"
        in render_text(report)
    )
    assert report_object(report)["sequential"] == {
        "since": 112.0,
        "reason": "a has an open conflict",
    }


@pytest.mark.parametrize("decision", Decision)
def test_every_decision_has_its_words(decision: Decision) -> None:
    run = conflicting_run()
    run.send(ConflictDecided(B, decision, run.commit(), "ada"))

    assert "by ada" in render_text(make_report(run.events))


def test_json_for_others_holds_text_alone() -> None:
    name = b"caf\xe9 \xf0\x9f\x9a\x80".decode("utf-8", "surrogateescape")
    text = json_text({name: [name, {"path": name}], "plain": "🚀"})
    spelled = "caf\\xe9 🚀"
    assert json.loads(text) == {spelled: [spelled, {"path": spelled}], "plain": "🚀"}
    json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")
