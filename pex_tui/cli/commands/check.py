"""`pex-tui check PLAN`."""

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from pex_tui.cli.arguments import add_runners, add_slots
from pex_tui.cli.command import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="a plan file (.yaml, .yml or .json)")
    add_slots(parser)
    add_runners(parser)


COMMAND = Command(
    summary="validate a plan and show what it would do",
    description="Shows waves, critical path, estimated duration and predicted conflicts. "
    "Nothing is started; exit code 2 when the plan or the configuration has a problem.",
    examples=(
        ("check plan.yaml", "waves, durations, predicted conflicts"),
        ("check plan.yaml --slots 10", "the same with ten slots"),
    ),
    add_arguments=_add_arguments,
    other_names=("validate",),
    is_open_to_agents=True,
)


def main(options: Namespace) -> int:
    """Validate a plan and print what it would do."""
    from pex_tui.application.project.command_context import await_command

    return await_command(_check(options))


async def _check(options: Namespace) -> int:
    from pex_tui.application.plans.plan_drafts import PlanDrafts
    from pex_tui.application.project.appearance import check_appearance
    from pex_tui.application.project.command_context import project_of
    from pex_tui.cli.output.check import render_check

    project = await project_of(options)
    check_appearance(project.settings, project.environ)
    await project.repository.head()
    draft = await PlanDrafts(project, slots=options.slots).load(Path(options.plan))
    sys.stdout.write(render_check(draft.plan, draft.graph, draft.rules, sandbox=draft.sandbox))
    for notice in draft.notices:
        sys.stderr.write(f"! {notice}\n")
    return 0
