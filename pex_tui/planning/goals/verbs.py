"""Verbs of goals in their imperative form, with their intents."""

from enum import StrEnum


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


class Intent(StrEnum):
    """The intent of a clause."""

    INVESTIGATE = "investigate"
    FIX = "fix"
    BUILD = "build"
    EDIT = "edit"
    REFACTOR = "refactor"
    VERIFY = "verify"
    TUNE = "tune"
    RELEASE = "release"
    PLAN = "plan"
    RESTORE = "restore"


_BY_INTENT = {
    Intent.INVESTIGATE: "investigate analyse analyze audit review assess examine inspect evaluate "
    "check find diagnose explain understand explore survey compare determine identify tell list "
    "show measure look research trace give report count estimate summarise summarize discover "
    "search scan detect triage study reproduce describe gather collect elicit recommend "
    "interview remind",
    Intent.FIX: "fix repair mend resolve correct debug solve patch heal stop prevent handle close "
    "address eliminate tackle restore",
    Intent.BUILD: "add implement build create introduce develop support design integrate provide "
    "write extend enable allow make generate want need offer let invent prototype expose",
    Intent.EDIT: "rename bump format reformat remove delete drop update upgrade replace move "
    "translate change adapt adjust reword sort tidy clean convert port use switch turn increase "
    "decrease reduce improve shorten document migrate configure set modify annotate deprecate "
    "disable install pin cache encrypt compress store lower raise harden secure simplify hide "
    "ensure guarantee shrink trim get bring keep rotate revoke scrub purge redact",
    Intent.REFACTOR: "refactor restructure reorganise reorganize rewrite split extract decouple "
    "modularise modularize modernise modernize rearchitect untangle separate merge unify "
    "consolidate redesign",
    Intent.VERIFY: "test verify cover validate prove stress fuzz",
    Intent.TUNE: "optimise optimize profile speed accelerate benchmark",
    Intent.RELEASE: "release publish ship tag cut prepare launch",
    Intent.PLAN: "plan orchestrate coordinate decompose",
    Intent.RESTORE: "revert roll undo rollback cancel halt",
}
VERBS = {verb: intent for intent, verbs in _BY_INTENT.items() for verb in verbs.split()}


def intent_of(word: str) -> Intent | None:
    """Return the verb's intent, also with the prefix "re-" ("re-enable")."""
    return VERBS.get(word) or VERBS.get(word.removeprefix("re-"))


AMBIGUOUS = word_set(
    "test design release report support speed profile benchmark review audit plan format "
    "patch tag ship list cover measure check change update upgrade move sort need use search "
    "scan trace estimate count study research survey cut launch set stress pin cache store "
    "port show turn switch document handle look close address restore make let build want get "
    "bring keep trim"
)
"""Verbs that are also nouns, or occur within a clause: they open one only before an object."""

PREPOSITIONS = word_set(
    "for about of in on with when that where from to by after before into without which"
)

DETERMINERS = word_set(
    "a an the it its them this that these those all every each any our your my their some "
    "what whether if out into up sure for how why everything two three new old both"
)

REPORTING = word_set("tells says reports complains sees finds notices claims asks writes is has")
"""Verbs of a person who reports a fault: the preceding word is the subject, not an order."""

ARTICLES = word_set("a an the its them these those all every each any our your my their")
"""Words that follow an imperative first word, known or unknown."""

OPENERS = PREPOSITIONS | word_set(
    "while since during if although because as once until like given only even both nothing "
    "half most not is are was were does do did can could has have should would may will "
    "sometimes often always somehow now today yesterday again maybe "
    "emergency urgent incident outage alert help hi hello ok note"
)
"""Words before an article that open a statement or a question, not an order."""

NOUN_INTENTS = {
    **dict.fromkeys(
        ("audit", "review", "analysis", "investigation", "assessment", "report", "cause"),
        Intent.INVESTIGATE,
    ),
    **dict.fromkeys(("refactoring", "restructuring", "rewrite"), Intent.REFACTOR),
}
"""Intents of nouns, for clauses without a verb ("a security review of …")."""
