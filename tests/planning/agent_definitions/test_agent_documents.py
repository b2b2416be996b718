"""The keys of a definition are explained in docs/agents.md."""

from tests.tools.agent_documents import declared_keys, documents


def test_the_page_is_the_one_that_the_declarations_make() -> None:
    """If this fails: python -m tests.tools."""
    stale = [path.name for path, text in documents().items() if path.read_text("utf-8") != text]

    assert stale == []


def test_every_key_of_a_definition_has_help() -> None:
    assert [path for path, one in declared_keys() if not one.key.help] == []
