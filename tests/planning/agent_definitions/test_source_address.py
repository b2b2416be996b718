import pytest

from pex_tui.errors import UserError
from pex_tui.planning.agent_definitions.source_address import (
    MOST_FILES,
    GitAddress,
    chosen,
    remote_address,
)
from pex_tui.planning.agent_definitions.source_offer import (
    LockEntry,
    format_lock,
    merged,
    parse_lock,
)


@pytest.mark.parametrize(
    ("text", "url", "revision"),
    [
        ("https://example.org/a.git@1a2b3c4", "https://example.org/a.git", "1a2b3c4"),
        ("git+https://example.org/a", "https://example.org/a", None),
        ("ssh://git@example.org/a.git@v1/2", "ssh://git@example.org/a.git", "v1/2"),
        ("ssh://git@example.org/a.git", "ssh://git@example.org/a.git", None),
        ("git@example.org:o/a.git@1a2b3c4", "git@example.org:o/a.git", "1a2b3c4"),
        ("git@example.org:o/a.git", "git@example.org:o/a.git", None),
        ("file:///srv/a@1a2b3c4", "file:///srv/a", "1a2b3c4"),
        ("https://example.org/a@", "https://example.org/a", None),
    ],
)
def test_an_address_ends_before_its_commit(text: str, url: str, revision: str | None) -> None:
    assert remote_address(text) == GitAddress(url, revision)


@pytest.mark.parametrize("text", ["agents", "/srv/a@1a2b3c4", "./a.md", "ext::sh -c x", "-x"])
def test_what_is_no_address_is_a_path(text: str) -> None:
    assert remote_address(text) is None


@pytest.mark.parametrize(
    "text", ["https://token@example.org/a.git@1a2b3c4", "ssh://me:secret@example.org/a"]
)
def test_an_address_with_a_secret_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="would be recorded"):
        remote_address(text)


@pytest.mark.parametrize(
    ("paths", "taken"),
    [
        (["README.md", "agents/a.md", ".claude/agents/deep/b.md"], (".claude/agents/deep/b.md",)),
        (["README.md", "agents/a.md", "agents/a.txt"], ("agents/a.md",)),
        (["b.md", "a.md", "docs/c.md"], ("a.md", "b.md")),
        (["src/x.py"], ()),
    ],
)
def test_the_first_folder_with_definitions_counts(paths: list[str], taken: tuple[str, ...]) -> None:
    assert chosen(paths) == taken


def test_too_many_files_are_refused() -> None:
    with pytest.raises(UserError, match=f"{MOST_FILES} are read"):
        chosen(f"{number}.md" for number in range(MOST_FILES + 1))


def test_a_lock_file_is_read_as_it_was_written() -> None:
    old = LockEntry("b.md", "/srv/a", None, "b.md", "0" * 64)
    new = LockEntry("a.md", "https://example.org/a", "1" * 40, "agents/a.md", "2" * 64)
    text = format_lock([old, new])
    assert parse_lock(text) == (new, old)
    assert len(text.splitlines()) == 7
    newer = LockEntry("b.md", "/srv/b", None, "b.md", "3" * 64)
    assert merged((old, new), [newer]) == (newer, new)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"version": 2, "agents": []}',
        '{"version": 1}',
        '{"version": 1, "agents": [{"file": "a"}]}',
        """{"version": 1, "agents": [
            {"file": "", "source": "", "path": "", "sha256": "", "commit": 1}
        ]}""",
    ],
)
def test_a_lock_file_of_another_kind_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # each has words of its own
        parse_lock(text)
