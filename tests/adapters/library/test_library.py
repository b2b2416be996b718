import os
from pathlib import Path

import pytest

from pex_tui.adapters.library.library import AgentFolder, agent_folders, load_library
from pex_tui.adapters.system.programs import program_finder
from pex_tui.core.model.ids import AgentName


def define(folder: Path, file_name: str, text: str) -> Path:
    path = folder / file_name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_folders_are_searched_from_the_repository_down_to_what_is_shipped() -> None:
    folders = agent_folders(Path("/repo"), Path("/home/me"), Path("/config"), Path("/shipped"))
    assert [(folder.layer, str(folder.path)) for folder in folders] == [
        ("repository", "/repo/.claude/agents"),
        ("user", "/home/me/.claude/agents"),
        ("configuration", "/config/agents"),
        ("shipped", "/shipped"),
    ]
    outside = agent_folders(None, Path("/home/me"), Path("/config"), Path("/shipped"))
    assert [folder.layer for folder in outside] == ["user", "configuration", "shipped"]


def test_the_first_definition_of_a_name_wins(tmp_path: Path) -> None:
    define(tmp_path / "near", "a.md", "---\nname: a\ndescription: near\n---\n")
    define(tmp_path / "far", "a.md", "---\nname: a\ndescription: far\n---\n")
    define(tmp_path / "far", "deep/b.md", "---\nname: b\n---\n")
    library = load_library(
        [AgentFolder("repository", tmp_path / "near"), AgentFolder("user", tmp_path / "far")]
    )
    assert library.agents[AgentName("a")].description == "near"
    assert library.agents[AgentName("a")].layer == "repository"
    assert set(library.agents) == {"a", "b"}
    assert library.problems == ()


def test_broken_definitions_are_named_and_the_others_load(tmp_path: Path) -> None:
    broken = define(tmp_path, "broken.md", "---\nname: x\npex: {memory: much}\n---\n")
    define(tmp_path, "whole.md", "---\nname: whole\n---\n")
    binary = tmp_path / "binary.md"
    binary.write_bytes(b"---\n\xff\n")
    library = load_library([AgentFolder("user", tmp_path)])
    assert set(library.agents) == {"whole"}
    assert library.problems == (
        f"{binary}:2: the agent definition is not UTF-8 text. Save it as UTF-8.",
        f'{broken}:3: pex.memory: "much" is not a valid size. Write it as 512MB or 2GB.',
    )


def test_a_pipe_among_the_definitions_is_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)
    link = tmp_path / "link.md"
    link.symlink_to(pipe)
    define(tmp_path, "whole.md", "---\nname: whole\n---\n")
    library = load_library([AgentFolder("repository", tmp_path)])

    assert set(library.agents) == {"whole"}
    assert library.problems == tuple(
        f"{path}: not a regular file, so not a valid agent definition. Remove it."
        for path in (link, pipe)
    )


def test_a_name_taken_within_one_folder_is_told(tmp_path: Path) -> None:
    define(tmp_path, "a.md", "---\nname: same\n---\n")
    define(tmp_path, "b.md", "---\nname: same\n---\n")
    (problem,) = load_library([AgentFolder("user", tmp_path)]).problems
    assert 'the agent "same" is defined in' in problem


def test_folders_that_do_not_exist_hold_nothing(tmp_path: Path) -> None:
    assert load_library([AgentFolder("user", tmp_path / "none")]).agents == {}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    script = define(tmp_path, "scripts/run", "#!/bin/sh\n")
    script.chmod(0o755)
    define(tmp_path, "scripts/notes", "")
    return tmp_path


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("scripts/run", True),
        ("./scripts/run", True),
        ("scripts/notes", False),
        ("scripts", False),
        ("scripts/", False),
        ("run", False),
    ],
)
def test_a_path_is_a_program_of_the_repository(program: str, found: bool, repository: Path) -> None:
    assert (program_finder(repository, "")(program) is not None) is found


def test_a_bare_name_is_looked_up_on_the_path(repository: Path) -> None:
    find = program_finder(repository, str(repository / "scripts"))
    assert find("run") == str(repository / "scripts" / "run")


def test_definitions_that_another_hides_are_told_most_specific_first(tmp_path: Path) -> None:
    for layer in ("repository", "user", "shipped"):
        define(tmp_path / layer, "a.md", f"---\nname: a\ndescription: {layer}\n---\n")
    library = load_library(
        [AgentFolder(layer, tmp_path / layer) for layer in ("repository", "user", "shipped")]
    )
    assert [agent.layer for agent in library.hidden] == ["user", "shipped"]
    assert [agent.layer for agent in library.all_named("a")] == ["repository", "user", "shipped"]
    assert library.all_named("b") == ()
