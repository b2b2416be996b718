"""Two runs side by side."""

from pex_tui.core.events.agent_events import AgentSpent
from pex_tui.core.events.run_events import RunFinished
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.plan import Plan
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.outcome import conclude
from pex_tui.reports.comparison import render_comparison
from pex_tui.reports.report import Report, make_report
from tests.core.world import World, task


def run_of(*names: str, seconds: float, tokens: int = 0) -> Report:
    world = World(Plan(tuple(map(task, names)), goal="Mend the shop"), RunRules(slots=1))
    for name in names:
        world.run(name)
        if tokens:
            world.send(AgentSpent(TaskId(name), 1, tokens, 0.5))
        world.now += seconds
        world.finish(name, f"{name}.py")
    world.send(RunFinished(*conclude(world.state)))
    return make_report(world.events)


def test_figures_and_tasks_stand_side_by_side_with_what_changed() -> None:
    text = render_comparison(run_of("a", "b", seconds=10), run_of("a", "c", seconds=15))

    lines = text.splitlines()
    assert lines[0].split() == ["run", "r1", "run", "r1"]
    makespan = next(line for line in lines if line.startswith("makespan"))
    assert makespan.split() == ["makespan", "0:20", "0:30", "+50%"]
    assert [line.split() for line in lines[-3:]] == [
        ["a", "landed,", "0:10", "landed,", "0:15", "+50%"],
        ["b", "landed,", "0:10", "–"],
        ["c", "–", "landed,", "0:15"],
    ]
    assert "tokens" not in text


def test_what_only_one_run_tells_is_unknown_for_the_other() -> None:
    text = render_comparison(run_of("a", seconds=10), run_of("a", seconds=10, tokens=1500))

    assert "about the same" in text
    rows = [line.split() for line in text.splitlines()]
    assert ["tokens", "–", "1,500"] in rows
    assert ["cost", "–", "$0.50"] in rows
