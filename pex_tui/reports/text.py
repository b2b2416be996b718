"""The report as text for a terminal, at most 100 columns wide."""

from collections.abc import Iterator
from textwrap import wrap

from pex_tui.core.formatting import clock, counted, percent, size, total
from pex_tui.core.landing.approval import landed_files
from pex_tui.core.lifecycle.rate_limits import over_budget
from pex_tui.core.liveness import waits_for_money
from pex_tui.core.model.conflict import ConflictKind
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.memory import TIERS
from pex_tui.core.model.phases import HOLDS_SLOT, SUCCEEDED, Phase
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.run_refs import own_commits_ref
from pex_tui.core.model.sandbox import sandbox_words
from pex_tui.core.model.state import LandStatus, Outcome
from pex_tui.core.model.task_state import TaskState
from pex_tui.core.outcome import NOBODY
from pex_tui.core.sanitize import clean
from pex_tui.reports.conflict_story import (
    headline,
    one_by_one_line,
    prediction_lines,
    story_lines,
    told_conflicts,
)
from pex_tui.reports.log_excerpt import LAST_LINES
from pex_tui.reports.report import Report

WIDTH = 100
_BAR = 48
_LEAST_NAME = len("Timeline")
_ALLOWANCE = "allow its changes to protected paths (ours), or leave them out (theirs)"
_RARE_WAITS = frozenset({"limit", "budget", "memory"})
_OUTCOMES = {
    Outcome.OK: "all tasks succeeded",
    Outcome.FAILED: "not all tasks succeeded",
    Outcome.GATE_FAILED: "a gate failed",
    Outcome.CONFLICTS: "unresolved conflicts",
    Outcome.ABORTED: "aborted",
    Outcome.DENIED: "an agent was denied a permission that it needed",
    Outcome.INTERRUPTED: "interrupted, state saved",
    Outcome.ROLLED_BACK: "rolled back, wholly or in part",
}
_MARKS = {
    Phase.LANDED: "✓",
    Phase.DONE: "✓",
    Phase.FAILED: "✗",
    Phase.ABORTED: "⊘",
    Phase.SKIPPED: "⊘",
    Phase.CONFLICT: "⇄",
}
_BLOCKS = {Phase.STARTING: "░", Phase.PAUSED: "‖", Phase.LANDING: "▒", Phase.QUEUED: "▒"}


def render_text(report: Report) -> str:
    """Return the whole report; lines are sanitized, and short except for the paths of logs."""
    before = [*_head(report), *_tasks(report)]
    after = [
        *_conflicts(report),
        *_timeline(report),
        "",
        "Figures",
        *(f"  {line}" for line in figure_lines(report)),
        *_notices(report),
        *next_steps(report),
    ]
    lines = [*map(_fit, before), *_failures(report), *map(_fit, after)]
    return "\n".join(lines) + "\n"


def _fit(line: str) -> str:
    text = clean(line).rstrip()
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


def outcome_words(report: Report) -> str:
    """Describe the run's outcome."""
    return _OUTCOMES[report.outcome] if report.is_finished else "not finished"


def _head(report: Report) -> Iterator[str]:
    state = report.state
    done = sum(task.phase in SUCCEEDED for task in state.tasks)
    commits = sum(task.phase is Phase.LANDED for task in state.tasks)
    yield ""
    code = f" (exit {report.exit_code})" if report.is_finished else ""
    yield f"Run {state.run}: {outcome_words(report)}{code}"
    if state.plan.goal:
        yield f"  {state.plan.goal.partition(chr(10))[0]}"
    yield (
        f"  {done} of {len(state.tasks)} tasks done, {counted(commits, 'commit')} "
        f"on {state.branch}, from {state.target or 'a detached HEAD'} at {state.base[:9]}, "
        f"in {clock(report.metrics.makespan_seconds)}"
    )
    if state.land_status is not LandStatus.NOT_ASKED:
        yield f"  {state.land_status}: {state.land_detail}"


def _tasks(report: Report) -> Iterator[str]:
    state = report.state
    wide = max((len(task.id) for task in state.tasks), default=0)
    yield ""
    for task in state.tasks:
        past = report.history.tasks[task.id]
        mark = _MARKS.get(task.phase, "·")
        tries = f" ×{past.attempts}" if past.attempts > 1 else ""
        took = clock(past.work_seconds) if past.attempts else ""
        yield f"  {mark} {task.id:<{wide}}  {took:>8}{tries:<3}  {_what_became(report, task)}"


def _what_became(report: Report, task: TaskState) -> str:
    if task.landed is not None:
        drift = f", {len(task.drift)} outside `writes`" if task.drift else ""
        files = counted(len(landed_files(report.state, task)), "file")
        return f"landed {task.landed[:9]}, {files}{drift}: {subject(report, task)}"
    if waits_for_money(task):
        return f"not started: the budget is used up ({over_budget(report.state)})"
    if task.rolled_back is not None:
        return f"{task.reason}: {task.rolled_back[:9]} {subject(report, task)}"
    if not task.reason or task.reason.startswith(task.phase):
        return task.reason or str(task.phase)
    return f"{task.phase}: {task.reason}"


def subject(report: Report, task: TaskState) -> str:
    """Return the subject line of a landed task's commit."""
    spec = report.state.spec(task.id)
    return spec.commit_message.strip().partition("\n")[0] or spec.title


def _failures(report: Report) -> Iterator[str]:
    for task in report.state.tasks:
        if task.phase is Phase.FAILED and task.failure is not None:
            log = report.logs.get(task.id)
            output = [*task.failure.output.splitlines()[-LAST_LINES:], *(log.lines if log else ())]
            yield ""
            yield _fit(f"  ✗ {task.id}: {task.failure.detail}")
            yield from (_fit(f"      {line}") for line in output)
            if log is not None:
                yield f"      full log: {log.path}"


def _conflicts(report: Report) -> Iterator[str]:
    if not report.state.conflicts:
        return
    yield ""
    yield "Conflicts"
    for told in told_conflicts(report):
        yield f"  {_fit(headline(told))}"
        for line in story_lines(report, told.conflict):
            yield from wrap(line, WIDTH - 6, initial_indent=" " * 6, subsequent_indent=" " * 8)


def _timeline(report: Report) -> Iterator[str]:
    history = report.history
    whole = history.ended_at - history.began_at
    if whole <= 0:
        return
    wide = max(_LEAST_NAME, *(len(task.id) for task in report.state.tasks))
    yield ""
    yield f"{'Timeline':<{wide + 4}}0{clock(whole):>{_BAR - 1}}"
    for spec in report.state.plan.tasks:
        bar = _bar(report, spec, whole)
        if bar.strip():
            yield f"  {spec.id:<{wide}}  {bar}"


def _bar(report: Report, spec: TaskSpec, whole: float) -> str:
    cells = [" "] * _BAR
    for span in report.history.tasks[TaskId(spec.id)].spans:
        block = _BLOCKS.get(span.phase, "█" if span.phase in HOLDS_SLOT else "")
        if block:
            first = int((span.begin - report.history.began_at) / whole * _BAR)
            last = int((span.end - report.history.began_at) / whole * _BAR)
            for cell in range(first, min(_BAR, max(first + 1, last))):
                if cells[cell] != "█":
                    cells[cell] = block
    return "".join(cells)


def figure_lines(report: Report) -> Iterator[str]:
    """Yield the figures, a sentence each, with their bounds."""
    found = report.metrics
    yield (
        f"{clock(found.makespan_seconds)} total; best possible "
        f"{clock(found.lower_bound_seconds)} "
        f"(schedule efficiency {percent(found.schedule_efficiency)})"
    )
    if found.speedup is not None:
        yield f"speed-up {found.speedup:.1f}× over one task at a time: {_savings(report)}"
    yield (
        f"parallel efficiency {percent(found.parallel_efficiency)} of at most "
        f"{percent(found.efficiency_ceiling)} on this graph, "
        f"slots busy {percent(found.thread_utilization)}"
    )
    uncounted = [
        f"{clock(seconds)} {what}"
        for seconds, what in (
            (found.person_seconds, "waiting for you"),
            (found.idle_seconds, "without an engine"),
        )
        if seconds >= 1
    ]
    if uncounted:
        yield f"not counted: {', '.join(uncounted)}"
    waits = [
        f"{cause} {clock(wait.mean)}"
        for cause, wait in found.wait_seconds.items()
        if wait.mean or cause not in _RARE_WAITS
    ]
    yield f"mean wait: {', '.join(waits)}"
    yield from _resource_lines(report)
    if found.tokens is not None:
        cost = "" if found.cost_usd is None else f", ${found.cost_usd:.2f}"
        yield f"models: {found.tokens:,} tokens{cost}, as reported by agents"
    if found.conflict_rate is not None:
        yield (
            f"{percent(found.conflict_rate)} of landings conflicted; "
            f"{counted(found.conflicts_predicted, 'conflict')} predicted "
            f"({counted(found.false_alarms, 'false alarm')}), "
            f"{found.conflicts_missed} missed"
        )
    yield from prediction_lines(report)
    if report.state.sandbox:
        yield f"tasks ran {sandbox_words(report.state.sandbox)}"
    if report.state.sequential:
        yield one_by_one_line(report)


def _resource_lines(report: Report) -> Iterator[str]:
    """Yield what the last attempts used, and how their limits were held."""
    tasks = report.state.tasks
    cpu = total(task.cpu_seconds for task in tasks)
    if cpu is None:
        return
    largest = max(tasks, key=lambda task: task.peak_bytes or 0)
    peak = f"; most memory: {size(largest.peak_bytes)} ({largest.id})" if largest.peak_bytes else ""
    tiers = dict.fromkeys(TIERS.get(task.tier, task.tier) for task in tasks if task.tier)
    yield f"agents used {clock(cpu)} of CPU{peak}; limits: {', '.join(tiers)}"


def _savings(report: Report) -> str:
    found = report.metrics
    if found.speedup is not None and found.speedup <= 1.1:  # noqa: PLR2004
        return "one agent alone would have been as fast"
    return f"{clock(found.work_seconds)} of work, {percent(found.time_savings)} of the time saved"


def notices(report: Report) -> tuple[str, ...]:
    """Return further notices for the user, each once, sanitized."""
    denied = (
        f"{task} was not allowed to {asked.title} ({asked.by})" for task, asked in report.denials
    )
    told = (*report.state.notices, *denied, *_own_commits(report))
    return tuple(clean(text) for text in dict.fromkeys(told))


def _notices(report: Report) -> Iterator[str]:
    told = notices(report)
    if told:
        yield ""
    for notice in told:
        yield from wrap(notice, WIDTH - 4, initial_indent="  ! ", subsequent_indent="    ")


def _own_commits(report: Report) -> Iterator[str]:
    """Yield one notice with the refs of commits that agents made themselves."""
    state = report.state
    kept = [
        own_commits_ref(state.run, task.id, task.attempt)
        for task in state.tasks
        if task.own_commits
    ]
    if kept:
        yield (
            "Agents made their own commits; each task lands as one commit, and theirs are kept: "
            f"{', '.join(kept)}"
        )


def next_steps(report: Report) -> Iterator[str]:
    """Return the user's next steps; none if the run is already on its branch."""
    steps = dict(_steps(report))
    wide = max(len(command) for command in steps)
    yield ""
    yield "Next"
    for command, purpose in steps.items():
        yield f"  {command:<{wide}}  {purpose}"


def _steps(report: Report) -> Iterator[tuple[str, str]]:
    """Yield the commands that continue, resolve or land this run, and the purpose of each."""
    state, run = report.state, report.state.run
    if report.outcome is Outcome.INTERRUPTED or not report.is_finished:
        has_money = not any(waits_for_money(task) for task in state.tasks)
        yield (
            f"pex-tui resume {run}",
            "continue it" + ("" if has_money else ", with a fresh budget"),
        )
    elif any(task.phase is Phase.ABORTED and task.aborted_with_run for task in state.tasks):
        yield f"pex-tui resume {run}", "start again what was aborted"
    elif any(task.phase is Phase.FAILED for task in state.tasks):
        yield f"pex-tui resume {run}", "retry the failed tasks"
    if state.rolling_back:
        yield f"pex-tui rollback {run}", "finish a rollback that was interrupted"
    asked = next((asked for _, asked in report.denials if asked.by == NOBODY), None)
    if asked is not None:
        rule = f"{asked.tool}(…)" if asked.touches else asked.tool
        yield (
            f"pex-tui run PLAN --set 'agents.permissions.allow=[\"{rule}\"]'",
            "allow it without asking, or use the app and answer there",
        )
    for conflict in state.open_conflicts:
        yield (
            f"pex-tui resolve {run} {conflict.tasks[0]} --ours|--theirs|--edit|--rerun|--abort",
            _ALLOWANCE if conflict.kind is ConflictKind.PROTECTED else "resolve its conflict",
        )
    if any(task.phase is Phase.LANDED for task in state.tasks):
        yield from _landing_steps(report)
    yield f"pex-tui report {run}", "this report again (--format html, md or json)"


def _landing_steps(report: Report) -> Iterator[tuple[str, str]]:
    state = report.state
    if state.target is None:
        yield f"git merge {state.branch}", "merge it into a branch of yours"
    elif state.land_status is not LandStatus.LANDED:
        yield f"pex-tui land {state.run}", f"land it on {state.target}"
    yield f"git log {state.base[:9]}..{state.branch}", "the commits"
