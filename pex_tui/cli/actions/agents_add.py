"""`pex-tui agents add SOURCE`: show the source's definitions, ask, and add them."""

import sys
from collections.abc import Callable
from pathlib import Path

from pex_tui.adapters.library.library import AgentFolder, Library, load_library
from pex_tui.adapters.library.source import read_source
from pex_tui.adapters.library.store import add_to, read_target
from pex_tui.application.project.command_context import Options
from pex_tui.cli.output.agent_offer import render_added, render_offer
from pex_tui.core.sanitize import clean
from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.definition import AgentDefinition
from pex_tui.planning.agent_definitions.source_offer import Offer, OfferStatus, make_offer, merged

BAD = 2


async def add_agents(
    options: Options, folders: tuple[AgentFolder, ...], repo_top: Path | None
) -> int:
    """Add the source's definitions to the requested folder; return 2 if none is usable."""
    folder = _folder(options.to, folders, repo_top)
    target = read_target(folder)
    offer = make_offer(await read_source(options.source), target)
    others = _others(load_library(folders), folder, [each.layer for each in folders])
    shown = clean(str(folder.path))
    sys.stdout.write(render_offer(offer, shown, others, force=options.force))
    sys.stdout.flush()
    taken = offer.wanted(force=options.force)
    if not taken:
        sys.stderr.write(_nothing(offer))
        return BAD
    entries = tuple(each.entry for each in taken)
    is_old = all(each.standing is OfferStatus.SAME for each in taken)
    if is_old and set(merged(target.lock, entries)) == set(target.lock):
        sys.stdout.write("\nNothing to add: everything exists already.\n")
        return 0
    if not options.yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        sys.stderr.write("Nothing was added: there is no terminal to ask on. Add --yes.\n")
        return BAD
    if not options.yes and not _is_wanted():
        sys.stdout.write("Nothing was added.\n")
        return 0
    add_to(folder.path, taken, target.lock)
    sys.stdout.write(render_added(taken, shown))
    return 0


def _folder(layer: str, folders: tuple[AgentFolder, ...], repo_top: Path | None) -> AgentFolder:
    """Return the library's folder of that layer; raises UserError if it is not writable."""
    found = next((folder for folder in folders if folder.layer == layer), None)
    if found is None or (layer == "repository" and repo_top is None):
        raise UserError("There is no repository here to add to. Change folder, or add --to user.")
    if repo_top is not None and layer == "repository":
        real = found.path.resolve()
        if not real.is_relative_to(repo_top.resolve()):
            raise UserError(
                f"{clean(str(found.path))} is a link that leaves the repository. "
                "Replace it by a folder, or add --to user."
            )
    return found


def _others(
    library: Library, target: AgentFolder, layers: list[str]
) -> Callable[[AgentDefinition], list[str]]:
    """Return a function that lists an agent's namesakes in other folders, and which one wins."""

    def told(agent: AgentDefinition) -> list[str]:
        found = []
        for other in library.all_named(agent.name):
            if other.layer == target.layer:
                continue
            is_nearer = layers.index(other.layer) < layers.index(target.layer)
            verb = "is hidden by" if is_nearer else "hides"
            found.append(f"{verb} the one of {other.layer}: {other.path}")
        return found

    return told


def _nothing(offer: Offer) -> str:
    if offer.agents:
        return "Nothing was added: other definitions exist. Add --force to replace them.\n"
    if offer.left_out:
        return "Nothing was added: no definition can be used. Fix what is named above.\n"
    return (
        "Nothing was added: the source has no *.md files in .claude/agents, agents or at its top.\n"
    )


def _is_wanted() -> bool:
    sys.stdout.write("\nAdd this? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() in {"y", "yes"}
