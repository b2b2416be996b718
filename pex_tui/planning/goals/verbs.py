"""What the verbs of a goal ask for, each in the form in which one gives an order."""

from enum import StrEnum


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


class Intent(StrEnum):
    """What a clause wants done."""

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
    """What the verb asks for, also to be done again ("re-enable")."""
    return VERBS.get(word) or VERBS.get(word.removeprefix("re-"))


AMBIGUOUS = word_set(
    "test design release report support speed profile benchmark review audit plan format "
    "patch tag ship list cover measure check change update upgrade move sort need use search "
    "scan trace estimate count study research survey cut launch set stress pin cache store "
    "port show turn switch document handle look close address restore make let build want get "
    "bring keep trim"
)
"""Verbs that are nouns as well, or stand inside a clause: they open one only before an object."""

PREPOSITIONS = word_set(
    "for about of in on with when that where from to by after before into without which"
)

DETERMINERS = word_set(
    "a an the it its them this that these those all every each any our your my their some "
    "what whether if out into up sure for how why everything two three new old both"
)

REPORTING = word_set("tells says reports complains sees finds notices claims asks writes is has")
"""What somebody does who brings a fault: the word before it is who, and no order."""

ARTICLES = word_set("a an the its them these those all every each any our your my their")
"""What a sentence's first word has behind it when it is an order, known or not."""

OPENERS = PREPOSITIONS | word_set(
    "while since during if although because as once until like given only even both nothing "
    "half most not is are was were does do did can could has have should would may will "
    "sometimes often always somehow now today yesterday again maybe "
    "emergency urgent incident outage alert help hi hello ok note"
)
"""Words before an article that open a statement or a question, and are no orders."""

NOUN_INTENTS = {
    **dict.fromkeys(
        ("audit", "review", "analysis", "investigation", "assessment", "report", "cause"),
        Intent.INVESTIGATE,
    ),
    **dict.fromkeys(("refactoring", "restructuring", "rewrite"), Intent.REFACTOR),
}
"""What a clause without a verb of its own asks for ("a security review of …")."""
