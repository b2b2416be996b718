"""What a step means, in versions: a run keeps the meaning that it was begun with.

Recorded events are replayed to know a run, so a change of what `step` makes of an event changes
every run that was recorded before it. The rule for such a change:

1. A new field of an event has a default that means what recordings without it meant.
2. Where `step` is to make something else of the same events, that is a new member of `Semantics`.
   `RunPlanned` records the newest one, the state carries it, and the code that decides differently
   asks `state.semantics` and keeps what it did before for the older ones.
3. What can be said in today's events is rewritten by an upcaster (`codec.UPCASTERS`), which gets
   the version of its row; `codec.VERSION` then goes up.
4. A fixture in `tests/fixtures/recorded` shows a run of the older meaning and what became of it.

Decisions that are journaled (`dispatch`, estimates, seeds) may change at any time: a replay follows
what was recorded. So may words, figures and views.
"""

from enum import IntEnum


class Semantics(IntEnum):
    """Each meaning that runs were recorded with, by what the newer one changed."""

    RERUN_AT_ONCE = 1
    """Before commit 8badd4c: reruns after a conflict start at once, and there is none alone."""
    LADDER = 2
    """Reruns from the second on wait, and the last one has no other writer beside it."""
    ONE_WAIT_GRAPH = 3
    """Circles of locks with leases and with pauses for another task are found and broken."""
    ONE_STORY_A_REASON = 4
    """Tasks that wait for several others for one reason tell one conflict of it, not one a pair."""


NEWEST = int(max(Semantics))


class ReplayError(Exception):
    """Recorded events that contradict one another by what they mean here; the text says which."""
