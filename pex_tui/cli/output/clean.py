"""Output of `pex-tui clean`: what would be removed and what is kept."""

from collections import Counter
from collections.abc import Collection, Iterator

from pex_tui.core.formatting import counted, size
from pex_tui.core.model.ids import RunId
from pex_tui.core.model.run_refs import run_prefix
from pex_tui.core.sanitize import clean
from pex_tui.core.undo_values import UndoEntry
from pex_tui.engine.cleaning import NOT_LANDED, CleanPlan, LeftoverKind, Removal

_MOST_KEPT = 20
_NO_RUN = "in no run"
_BRANCHES = "refs/heads/"


def render_clean(
    plan: CleanPlan,
    forgotten: Collection[RunId],
    open_runs: Collection[RunId],
    live: RunId | None,
) -> str:
    """Render the plan; `forgotten` runs leave the journal, `open_runs` have not ended."""
    kept = [*_open(open_runs, live), *_kept(plan)]
    lines = [*_goes(plan, forgotten)]
    if kept:
        lines += [*([""] if lines else []), "Kept:", *kept]
    if any(removal.run not in {None, *open_runs} for removal in plan.kept):
        lines.append("`pex-tui land RUN` lands a run's work; --force gives it up.")
    if not lines:
        return "Nothing to clean: no finished run has left anything here.\n"
    return "".join(f"{clean(line)}\n" for line in lines)


def render_cleaned(
    plan: CleanPlan, rescued: Collection[str], entries: Collection[UndoEntry] = ()
) -> str:
    """Render what was done, and how it can be undone."""
    lines = [f"Removed {counted(len(plan.removals), 'thing')}, {size(plan.size_bytes)}."]
    kept = sum(entry.size_bytes for entry in entries)
    if entries:
        shown = ", ".join(f"{entry.run} ({entry.id})" for entry in entries)
        lines.append(
            f"Work, logs and history are kept for 30 days, {size(kept)}: `pex-tui recover ID` "
            f"restores {shown}."
        )
    lines += [f"! Uncommitted work was left in a worktree; it is in {ref} now." for ref in rescued]
    return "".join(f"{clean(line)}\n" for line in lines)


def _goes(plan: CleanPlan, forgotten: Collection[RunId]) -> Iterator[str]:
    """Yield one line per run."""
    runs = dict.fromkeys([*forgotten, *(removal.run for removal in plan.removals)])
    if not runs:
        return
    yield f"{'RUN':<10} {'SIZE':>6}  REMOVES"
    for run in sorted(runs, key=lambda run: (run is None, run)):
        removals = [removal for removal in plan.removals if removal.run == run]
        total = sum(removal.size_bytes for removal in removals)
        what = [*(["its history"] if run in forgotten else []), *_counts(removals)]
        yield f"{run or _NO_RUN:<10} {size(total):>6}  {', '.join(what)}"


def _counts(removals: list[Removal]) -> Iterator[str]:
    """Yield the kinds of leftovers, most significant first."""
    if any(removal.kind is LeftoverKind.FOLDER for removal in removals):
        yield "its logs"
    for removal in removals:
        if removal.kind is LeftoverKind.BRANCH:
            yield f"branch {removal.name.removeprefix(_BRANCHES)}"
    kinds = Counter(removal.kind for removal in removals)
    for kind in (LeftoverKind.REF, LeftoverKind.WORKTREE):
        if kinds[kind]:
            yield counted(kinds[kind], kind)


def _open(open_runs: Collection[RunId], live: RunId | None) -> Iterator[str]:
    for run in open_runs:
        advice = "is live" if run == live else f"has not ended (`pex-tui resume {run}`)"
        yield f"  run {run}: it {advice}"


def _kept(plan: CleanPlan) -> list[str]:
    """Return a line for each run whose work has not landed, and for each other thing that stays."""
    lines, by_run = list[str](), dict[RunId, list[Removal]]()
    for removal in plan.kept:
        if removal.run is not None and removal.kept_because == NOT_LANDED:
            by_run.setdefault(removal.run, []).append(removal)
        else:
            name = removal.name.removeprefix(_BRANCHES)
            lines.append(f"  {removal.kind} {name}: {removal.kept_because}")
    lines = [*(_work(run, kept) for run, kept in by_run.items()), *lines]
    more = len(lines) - _MOST_KEPT
    return [*lines[:_MOST_KEPT], *([f"  and {more} more"] if more > 0 else [])]


def _work(run: RunId, kept: list[Removal]) -> str:
    """Describe the work of a run that is on none of the user's branches."""
    refs = [one.name for one in kept if one.kind is LeftoverKind.REF]
    named = (ref.removeprefix(run_prefix(run)).partition("/") for ref in refs)
    tasks = {task for task, slash, _ in named if slash}
    work = f"work of {counted(len(tasks), 'task')}" if tasks else "its branch"
    can_land = any(one.kind is LeftoverKind.BRANCH for one in kept)
    advice = f" (`pex-tui land {run}`)" if can_land else ""
    return f"  run {run}: {work} is on none of your branches{advice}"
