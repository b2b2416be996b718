from hypothesis import given
from hypothesis import strategies as st

from pex_tui.planning.prediction.words import path_words, words


def test_names_are_followed_by_their_parts_and_endings_are_taken_off() -> None:
    assert list(words("Fixed the SessionInterface of open_sessions")) == [
        *("fix", "sessioninterface", "session", "interfac"),
        *("open_sessions", "open", "session"),
    ]


def test_trailers_numbers_and_common_words_say_nothing() -> None:
    assert list(words("It is the 42\n\nSigned-off-by: Ann <ann@example.org>\n")) == []


def test_a_path_has_the_words_of_its_name_and_of_its_folders() -> None:
    name, folders = path_words("src/flask/json_provider.py")
    assert {"json", "provider", "py"} <= name
    assert folders == {"src", "flask"}


@given(st.text())
def test_any_text_has_words_or_none(text: str) -> None:
    assert all(word == word.strip() and word for word in words(text))
