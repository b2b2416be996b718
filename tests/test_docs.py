"""The README and the pages in docs name only what exists, and omit nothing."""

import argparse
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from pex_tui.adapters.library.library import AgentFolder, load_library
from pex_tui.cli.parser import NAMES, build_parser
from pex_tui.core.outcome import EXIT_CODES
from pex_tui.planning.agent_definitions.definition_checks import check_definition
from pex_tui.planning.agent_definitions.runners import PRESETS
from pex_tui.planning.fields.declaration import SectionOf, keys_of
from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.plan_file.context import PlanContext
from pex_tui.planning.plan_file.parser import parse_plan
from pex_tui.settings.load import read_settings
from pex_tui.settings.model import Settings

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
ABOUT_CODE = [DOCS / f"{name}.md" for name in ("architecture", "contributing", "glossary")]
FOLDERS = ("pex_tui/", "tests/", "config/", "docs/", "themes/", "snapshots/", ".ci/")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def prose(page: Path) -> str:
    """Return the page without its code blocks."""
    return FENCE.sub("", page.read_text("utf-8"))


def blocks(page: Path, language: str) -> list[str]:
    """Return the code blocks in that language."""
    text = page.read_text("utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def spans(page: Path) -> list[str]:
    """Return the inline code within the prose."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def rows(page: str) -> list[list[str]]:
    """Return the cells of all tables of a page in docs."""
    return cells(prose(DOCS / page))


def cells(text: str) -> list[list[str]]:
    """Return the cells of all tables of a text."""
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|---")
    ]


def named(cell: str) -> list[str]:
    """Return the inline code of a cell."""
    return re.findall(r"`([^`]+)`", cell)


def anchors(page: Path) -> set[str]:
    """Return the headings, as links name them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@cache
def words_of_the_code() -> frozenset[str]:
    texts = (path.read_text("utf-8") for path in (ROOT / "pex_tui").rglob("*.py"))
    return frozenset(word for text in texts for word in re.findall(r"\w+", text))


@cache
def names_of_the_code() -> frozenset[str]:
    """Return what the code defines: modules, classes, functions, fields and constants."""
    modules = [*(ROOT / "pex_tui").rglob("*.py")]
    defined = re.compile(
        r"^ *(?:class|(?:async )?def) (\w+)|^ *(\w+)(?:: \S+)? = |^    (\w+): ", re.MULTILINE
    )
    found = (word for path in modules for word in defined.findall(path.read_text("utf-8")))
    return frozenset(name for words in found for name in words) | {path.stem for path in modules}


def parsers() -> dict[str, argparse.ArgumentParser]:
    found = build_parser()
    inner = next(one for one in found._actions if isinstance(one, argparse._SubParsersAction))
    return {"": found, **inner.choices}


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    broken = []
    for link in links:
        path, _, anchor = unquote(link).partition("#")
        target = page.parent / path if path else page
        if "://" not in link and not (
            target.exists() and (not anchor or anchor in anchors(target))
        ):
            broken.append(link)
    assert broken == []


@each_page
def test_every_path_of_the_repository_exists(page: Path) -> None:
    paths = [one for one in spans(page) if one.startswith(FOLDERS) and not set("*{…") & set(one)]

    assert [path for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ABOUT_CODE, ids=lambda page: page.stem)
def test_every_name_of_the_code_is_there(page: Path) -> None:
    names = [one for one in spans(page) if re.fullmatch(r"[A-Za-z_][\w.]*(\(\))?", one)]
    parts = {part for one in names for part in one.removesuffix("()").split(".")}

    assert parts - words_of_the_code() - {"md"} == set()


def test_every_test_of_a_fault_exists() -> None:
    for file, name in re.findall(r"`([\w/]+\.py)::(\w+)`", prose(DOCS / "faults.md")):
        assert f"def {name}(" in (ROOT / "tests" / file).read_text("utf-8"), f"{file}::{name}"


def test_the_glossary_says_what_the_code_defines() -> None:
    """Every name in a column "in the code" is a class, function, field or module there."""
    tables = re.findall(
        r"(?m)^\| \w+ \| in the code \|.*\n(?:\|.*\n)+", prose(DOCS / "glossary.md")
    )
    names = {name for table in tables for row in cells(table)[1:] for name in named(row[1])}
    parts = {part for name in names for part in name.removesuffix("()").split(".")}

    assert len(tables) == 2
    assert parts - names_of_the_code() == set()


def test_every_page_is_reached_from_the_readme() -> None:
    readme = PAGES[0].read_text("utf-8")

    assert [page.name for page in PAGES[1:] if f"(docs/{page.name}" not in readme] == []


@each_page
def test_every_setting_that_is_mentioned_exists(page: Path) -> None:
    known = {".".join(path) for path, _ in keys_of(Settings)}
    sections = tuple(f"{name}." for name in known if "." not in name)
    mentioned = {one.partition(":")[0] for one in spans(page) if one.startswith(sections)}

    assert {one for one in mentioned if not one.endswith(".json")} <= known


def test_all_keys_of_a_plan_are_explained() -> None:
    schema = json.loads((ROOT / "config" / "schema" / "plan.json").read_text("utf-8"))
    keys = {*schema["properties"], *schema["properties"]["tasks"]["items"]["properties"]}
    explained = {name for cell, *_ in rows("plan-file.md") for name in named(cell)}

    assert {name for name in explained if not name.startswith("PEX_")} == keys


@each_page
def test_plans_and_settings_that_are_shown_are_valid(page: Path) -> None:
    """A plan may name agents that are shipped; settings are those that a file may hold."""
    agents = load_library([AgentFolder("shipped", ROOT / "config" / "agents")]).agents
    for text in blocks(page, "yaml"):
        content = yaml.safe_load(text)
        if "tasks" in content:
            assert parse_plan(text, page.name, PlanContext(agents)).tasks
        elif content.keys() <= SectionOf(Settings).keys.keys():
            assert read_settings(read_document(text).content)


def test_the_agent_that_is_shown_has_nothing_to_complain_about() -> None:
    (text,) = blocks(DOCS / "agents.md", "markdown")

    found = check_definition(text, "shown", layer="user", path="shown.md")
    assert (found.agent is not None, found.findings) == (True, ())


def test_all_runners_are_listed() -> None:
    table = {tuple(named(name) + named(program)) for name, program, *_ in rows("agents.md")}

    assert {(one.name, one.argv[0]) for one in PRESETS} <= table


def test_all_exit_codes_are_explained() -> None:
    assert {str(code) for code in EXIT_CODES.values()} <= {code for code, *_ in rows("ci.md")}


def test_the_readme_lists_all_commands() -> None:
    table = PAGES[0].read_text("utf-8").partition("## Commands")[2].partition("##")[0]
    first = [one for cell, *_ in cells(table) for one in named(cell)]

    assert {one.split()[0] for one in first} - {"pex-tui"} == set(NAMES)


@each_page
def test_every_command_and_option_that_is_typed_exists(page: Path) -> None:
    known = {
        name: {option for action in one._actions for option in action.option_strings}
        for name, one in parsers().items()
    }
    typed = "\n".join(_typed(page))
    lines = re.findall(r"(?<![^\s/])pex-tui ([a-z][a-z-]*)\b([^\n#]*)", typed)
    wrong = []
    for command, rest in lines:
        options = re.findall(r"(?<!\S)--?[a-z][\w-]*", rest.partition(" -- ")[0])
        inner = known.get(command)
        of_actions = {"--to", "--yes", "--force"} if command == "agents" else set()
        if inner is None or set(options) - inner - of_actions:
            wrong.append(f"{command} {rest}")
    assert wrong == []


def _typed(page: Path) -> list[str]:
    return [*blocks(page, "sh"), *(one for one in spans(page) if "pex-tui " in one)]
