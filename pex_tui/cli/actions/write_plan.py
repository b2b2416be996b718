"""Write the plan for a goal: YAML to a file or stdout, its reasons to stderr."""

from functools import partial
from pathlib import Path

from pex_tui.application.plans.goal_argument import is_file, read_goal
from pex_tui.application.plans.plan_drafts import PlanDrafts
from pex_tui.application.project.command_context import Options, await_command, project_of
from pex_tui.core.sanitize import clean
from pex_tui.engine.session import Planning
from pex_tui.errors import UserError
from pex_tui.headless.streams import Streams, printing
from pex_tui.textfiles import save_text_file


def write_plan(options: Options) -> int:
    """Write the plan for a goal."""
    return await_command(printing(partial(_plan, options)))


async def _plan(options: Options, streams: Streams) -> int:
    target: Path | None = options.output
    if target == Path("-"):  # as in other programs: stdout
        target = None
    if target is not None and is_file(target) and not options.force:
        raise _in_the_way(target)
    goal = read_goal(options.goal)
    project = await project_of(options)
    notes = streams.notes.write
    made = await PlanDrafts(project, slots=options.slots).compose_goal(goal, Planning(notes))
    for reason in made.reasons:
        notes(reason)
    if target is None:
        streams.output.write(made.text.removesuffix("\n"))
        return 0
    await _write(target, made.text, force=options.force)
    shown = clean(str(target))
    notes(f"The plan is in {shown}. Run it: pex-tui run {shown}")
    return 0


async def _write(target: Path, text: str, *, force: bool) -> None:
    try:
        await save_text_file(target, text, replaces=force)
    except FileExistsError as error:
        raise _in_the_way(target) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "that is not a file name"
        raise UserError(
            f"{clean(str(target))}: the plan can't be written: {reason}. Name another file."
        ) from error


def _in_the_way(target: Path) -> UserError:
    return UserError(
        f"{clean(str(target))} exists and was not changed. "
        "Name another file, or add --force to overwrite it."
    )
