"""Splitting of a goal into clauses, with the intent of each and its negated words."""

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise

from msgspec import Struct

from pex_tui.planning.goals.verbs import (
    AMBIGUOUS,
    ARTICLES,
    DETERMINERS,
    NOUN_INTENTS,
    OPENERS,
    REPORTING,
    VERBS,
    Intent,
    intent_of,
    word_set,
)

_SHORTEST_PATH, _LONGEST_PATH = 3, 300
_EXTENSIONS = word_set(
    "adoc c cc cfg clj cpp cs css dart ex exs go gradle h hpp hs html ini ipynb java jl js "
    "json jsx kt lock lua m md mjs php pl proto ps1 py pyi r rb rs rst sass scala scss sh sql "
    "svelte swift tf toml ts tsx txt vue xml yaml yml zig"
)
_WORD = re.compile(r"[^\W_][\w'\u2019+-]*(?:\.\w+)*|[.!?;:,]+")
_PATH = re.compile(r"[\w.@+*-]+(?:/[\w.@+*-]*)*")
_LINE_NUMBER = re.compile(r"(?::\d+){1,2}$")
_NUMBERED = re.compile(r"(?:^|(?<=\s))\(?\d{1,2}[.)](?=\s)")
_ENDS = frozenset(".!?;:")
_STEP_WORDS = frozenset({"then", "afterwards", "afterward", "finally", "next", "lastly", "later"})
_FILLERS = _STEP_WORDS | word_set(
    "please first also just and or now to let's lets we you should must"
)
_FINDINGS = frozenset({"report", "summary", "overview", "findings", "conclusions"})
_NEAR = 4
_BREAKS = frozenset({",", "and", "then", "but", "please"})
_ASKING = frozenset({"could", "can", "would", "will"})
_NEGATIONS = frozenset({"never", "without", "avoid", "skip", "except", "excluding", "ignore"})
_NEGATION_PAIRS = frozenset(
    {("do", "not"), ("must", "not"), ("should", "not"), ("no", "need"), ("instead", "of")}
    | {("rather", "than"), ("and", "not"), ("but", "not")}
)
_CONTRACTIONS = frozenset({"don't", "dont", "mustn't", "shouldn't"})
_SUBJECTS = word_set("i we you they it that which who users customers people tests")


class GoalWord(Struct, frozen=True):
    """One word in lower case, or a path as written. A goal forbids its ruled-out words."""

    text: str
    is_path: bool = False
    is_ruled_out: bool = False


class Clause(Struct, frozen=True):
    """Words around one verb; `step` counts the steps that the text itself orders, from 0."""

    words: tuple[GoalWord, ...]
    intent: Intent | None = None
    step: int = 0


def read_clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses in their order; a text without words has none."""
    plain = _NUMBERED.sub(" ; then ", unicodedata.normalize("NFKC", text)).replace("\u2019", "'")
    clauses: list[Clause] = []
    step = 0
    for sentence, is_question in _sentences(plain):
        for part, opens_step in _with_objects(list(_parts(sentence))):
            step += 1 if opens_step and clauses else 0
            words = tuple(_ruled(part))
            if words:
                clauses.append(Clause(words, _intent(words, is_question=is_question), step))
    return tuple(clauses)


def _sentences(text: str) -> Iterator[tuple[list[GoalWord], bool]]:
    """Yield the words of each sentence, and whether it is a question; commas stay as words."""
    held: list[GoalWord] = []
    for line in text.splitlines():
        for chunk in line.split():
            for word in _words(chunk):
                if not word.is_path and word.text[0] in _ENDS:
                    yield held, "?" in word.text
                    held = []
                else:
                    held.append(word)
        yield held, False
        held = []


def _words(chunk: str) -> Iterator[GoalWord]:
    bare = chunk.strip("\"'`()[]{}<>,;!?*").rstrip(".:")
    path = "/".join(part for part in _LINE_NUMBER.sub("", bare).split("/") if part != ".")
    if is_path(path):
        yield GoalWord(path, is_path=True)
        ending = chunk.rstrip("\"'`)]}>*")[-1:]
        if ending in {",", ".", ";", "!", "?", ":"}:
            yield GoalWord(ending)
        return
    for found in _WORD.finditer(chunk.casefold()):
        yield GoalWord(found[0])


def is_path(text: str) -> bool:
    """Return whether the text looks like a path of a file or a folder."""
    if not _SHORTEST_PATH <= len(text) <= _LONGEST_PATH or _PATH.fullmatch(text) is None:
        return False
    if ".." in text.split("/") or text.startswith((".git/", "-")):
        return False
    stem, dot, ending = text.rpartition(".")
    if dot and stem and ending.lower() in _EXTENSIONS and stem[-1].isalnum():
        return True
    folders, _, name = text.rpartition("/")
    is_deep = "/" in folders or not name  # and/or is not a path
    return bool(folders) and is_deep and all(folders.split("/"))


def _parts(sentence: list[GoalWord]) -> Iterator[tuple[list[GoalWord], bool]]:
    """Split a sentence before each verb that opens a clause; report where a step begins."""
    held: list[GoalWord] = []
    opens = False
    for place, word in enumerate(sentence):
        is_break = place > 0 and sentence[place - 1].text in _BREAKS
        is_noun = place > 0 and sentence[place - 1].text in DETERMINERS  # "the next release"
        is_step = (word.text in _STEP_WORDS and not is_noun) or _pair(sentence, place) == (
            "after",
            "that",
        )
        if is_step and _held_more_than_fillers(held):
            yield held, opens
            held, opens = [], True
        elif is_step:
            opens = True
        elif is_break and _heads_a_clause(sentence, place) and _held_more_than_fillers(held):
            yield held, opens
            held, opens = [], False
        held.append(word)
    yield held, opens


def _with_objects(
    parts: list[tuple[list[GoalWord], bool]],
) -> Iterator[tuple[list[GoalWord], bool]]:
    """Yield the parts; a verb without an object gets the next one's ("find and fix it")."""
    for place, (part, opens_step) in enumerate(parts):
        told = [word.text for word in part if word.text not in _FILLERS and word.text != ","]
        is_bare = len(told) == 1 and told[0] in VERBS and place + 1 < len(parts)
        yield (part + parts[place + 1][0][1:] if is_bare else part), opens_step


def _held_more_than_fillers(held: list[GoalWord]) -> bool:
    return any(word.text not in _FILLERS and word.text != "," for word in held)


def _heads_a_clause(sentence: list[GoalWord], place: int) -> bool:
    """Return whether the word is a verb in its base form with an object of its own."""
    text = sentence[place].text
    if intent_of(text) is None:
        return False
    following = sentence[place + 1] if place + 1 < len(sentence) else None
    return text not in AMBIGUOUS or (
        following is not None and (following.is_path or following.text in DETERMINERS)
    )


def _intent(words: tuple[GoalWord, ...], *, is_question: bool) -> Intent | None:
    """Return the clause's intent, from its first word that is not a filler, else from nouns."""
    said = [word.text for word in words[:_NEAR]]
    is_order = said[0] in _ASKING and (said[1:2] == ["you"] or set(said[2:3]) & set(VERBS))
    if is_order:  # "could you fix it?"
        words, is_question = words[2:], False
    for place, word in enumerate(words):
        if word.text in _FILLERS or word.text == "," or word.is_ruled_out:
            continue
        if is_question or word.text in {"why", "how", "what", "whether"}:
            return Intent.INVESTIGATE
        ordered = _ordered(words[place:])
        if ordered is not None:
            return _of_what_is_written(words) or ordered if ordered is Intent.BUILD else ordered
        break
    asked = [word.text for word in words if not word.is_ruled_out]
    wanted = next((VERBS[b] for a, b in pairwise(asked) if a == "to" and b in VERBS), None)
    if wanted is not None and ("want" in asked or "need" in asked):
        return wanted
    nouns = (b for a, b in pairwise(["", *asked]) if b in NOUN_INTENTS and a not in _SUBJECTS)
    return next((NOUN_INTENTS[text] for text in nouns), None)


def _ordered(words: tuple[GoalWord, ...]) -> Intent | None:
    """Return the intent of an imperative first word; an unknown verb needs an object."""
    first, following = words[0], words[1].text if len(words) > 1 else ""
    if first.text in AMBIGUOUS and following in REPORTING:  # "support tells us"
        return None
    known = intent_of(first.text)
    is_order = first.text.isalpha() and first.text not in OPENERS and not first.text.endswith("ly")
    return Intent.EDIT if known is None and is_order and following in ARTICLES else known


def _of_what_is_written(words: tuple[GoalWord, ...]) -> Intent | None:
    """Return the intent behind writing a text: a report is analysis, a plan is planning."""
    if _tells_findings(words):
        return Intent.INVESTIGATE
    near = [word.text for word in words[: _NEAR + 1]]
    is_plan = any(a == "plan" and b in {"for", "to", "of", "how"} for a, b in pairwise(near))
    return Intent.PLAN if is_plan else None


def _tells_findings(words: tuple[GoalWord, ...]) -> bool:
    """Return whether the text to write reports findings ("write a report of it")."""
    texts = [word.text for word in words]
    near = texts[:_NEAR]  # a verb, an article and a word in between
    place = next((at for at, text in enumerate(near) if text in _FINDINGS), None)
    following = texts[place + 1 : place + 2] if place is not None else ["nothing"]
    return not following or following[0] in {"about", "of", "on", "with", "for", ","}


def _ruled(words: list[GoalWord]) -> Iterator[GoalWord]:
    """Yield the words without commas, marked if a preceding negation applies."""
    is_ruled_out = False
    for place, word in enumerate(words):
        if word.text in {",", "but"}:
            is_ruled_out = False
            continue
        if _begins_negation(words, place):
            is_ruled_out = True
        yield GoalWord(word.text, word.is_path, is_ruled_out)


def _begins_negation(words: list[GoalWord], place: int) -> bool:
    text = words[place].text
    before = words[place - 1].text if place else ""
    if before in _SUBJECTS:  # "they do not work" reports a fault
        return False
    if _pair(words, place) in _NEGATION_PAIRS or text in _NEGATIONS or text in _CONTRACTIONS:
        return True
    return text == "no" and before in {"", ",", "and", "but", "with"} and place + 1 < len(words)


def _pair(words: list[GoalWord], place: int) -> tuple[str, str]:
    return words[place].text, words[place + 1].text if place + 1 < len(words) else ""
