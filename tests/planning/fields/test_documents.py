import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pex_tui.planning.fields.documents import read_document
from pex_tui.planning.fields.problems import UnreadableError
from pex_tui.resources import shipped


def test_scalars_stay_the_text_that_was_written() -> None:
    document = read_document("a: off\nb: 1:30\nc: 007\nd: 2020-01-01\ne: yes\n")
    assert document.content == {"a": "off", "b": "1:30", "c": "007", "d": "2020-01-01", "e": "yes"}


def test_only_null_means_nothing_and_only_unquoted() -> None:
    assert read_document('a:\nb: ~\nc: null\nd: "null"\n').content == {
        "a": None,
        "b": None,
        "c": None,
        "d": "null",
    }


def test_every_value_knows_its_line() -> None:
    document = read_document("a: 1\nb:\n  - c: 2\n  - d\n")
    assert [document.line_of(path) for path in [("a",), ("b", 0, "c"), ("b", 1)]] == [1, 3, 4]
    assert document.line_of(("b", 0, "c", "deeper")) == 3


def test_duplicate_keys_are_told_with_both_lines() -> None:
    (problem,) = read_document("a: 1\nb: 2\na: 3\n").problems
    assert (problem.line, problem.text) == (
        3,
        'the key "a" stands here and in line 1. Keep one.',
    )


def test_unreadable_yaml_is_told_with_line_and_column() -> None:
    with pytest.raises(UnreadableError) as caught:
        read_document("a: [1\nb: 2\n")
    assert caught.value.problem.line == 2
    assert "column" in caught.value.problem.text


def test_anchors_aliases_and_merges_are_read() -> None:
    text = "base: &base {x: 1, y: 2}\nuse:\n  <<: *base\n  y: 3\n"
    assert read_document(text).content["use"] == {"x": "1", "y": "3"}


def test_an_alias_inside_its_own_anchor_is_a_problem() -> None:
    assert "inside its own anchor" in read_document("a: &a [*a]\n").problems[0].text


def test_aliases_that_multiply_are_cut_off() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 8)]
    with pytest.raises(UnreadableError, match="more than 200000 values"):
        read_document("\n".join(lines))


def test_merges_that_multiply_are_cut_off() -> None:
    lines = ["a0: &a0 {}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}" for n in range(1, 8)]
    with pytest.raises(UnreadableError, match="more than 200000 values"):
        read_document("\n".join(lines))


def test_deep_nesting_is_refused_in_words() -> None:
    with pytest.raises(UnreadableError, match="nested too deeply"):
        read_document("[" * 2_000)


def test_python_tags_are_not_read() -> None:
    (problem,) = read_document("a: !!python/object:os.system x\n").problems
    assert "is not read here" in problem.text


def test_an_empty_text_holds_nothing() -> None:
    assert read_document("# only a comment\n").content is None


def test_json_with_tabs_and_surrogate_pairs_is_read() -> None:
    assert read_document('{\n\t"a": "\\ud83d\\ude00",\n\t"b": [1]\n}').content == {
        "a": "😀",
        "b": ["1"],
    }


_keys = st.text(max_size=20)  # YAML takes keys of at most 1,024 characters, escapes included
_values = st.recursive(
    st.text(), lambda inner: st.lists(inner) | st.dictionaries(_keys, inner), max_leaves=20
)


@given(st.dictionaries(_keys, _values, min_size=1))
def test_what_json_writes_is_read_back(content: dict[str, object]) -> None:
    assert read_document(json.dumps(content)).content == content


@given(st.text())
def test_no_text_raises_anything_but_unreadable(text: str) -> None:
    with suppress(UnreadableError):
        read_document(text)


@pytest.mark.parametrize(
    "text",
    [
        shipped("config/pex.yaml").read_text("utf-8"),
        "goal: é 中 \U0001f600\ntasks:\n  - &a {id: a, prompt: |\n      x: y\n\n  }\n",
        "a: &x {b: \n}\nc: *x\nd: {<<: *x, e: ~, f: }\n",
        "a: [1\nb: 2\n",
        "- " * 2000,
    ],
)
def test_libyaml_reads_what_pyyaml_reads(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def read() -> object:
        try:
            return read_document(text)
        except UnreadableError as error:
            return error.problem

    fast = read()
    monkeypatch.setattr("yaml.__with_libyaml__", 0)

    assert fast == read()
