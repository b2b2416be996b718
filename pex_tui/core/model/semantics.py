"""Versions of the meaning of `step`: a run keeps the meaning that it started with.

A run is known by replaying its events, so a change in how `step` applies an event changes every run
recorded before. The rules for such a change:

1. A new field of an event has a default with the meaning of recordings that lack it.
2. A different effect of the same events is a new member of `Semantics`. `RunPlanned` records the
   newest one, the state carries it, and the code that decides differently checks `state.semantics`
   and keeps the old behaviour for older runs.
3. A change that today's events can express is an upcaster (`event_codec.UPCASTERS`), called with
   the version of its row; `event_codec.VERSION` goes up.
4. A fixture in `tests/fixtures/recorded` shows a run of the older meaning and its state.

Journaled decisions (`dispatch`, estimates, seeds) may change at any time, as a replay follows the
record. So may words, figures and views.
"""

from enum import IntEnum


class Semantics(IntEnum):
    """The meanings that runs were recorded with, named for the change of each."""

    RERUN_AT_ONCE = 1
    """Before commit 8badd4c: reruns after a conflict start at once, and none runs alone."""
    LADDER = 2
    """Reruns from the second on are delayed, and the last one runs without other writers."""
    ONE_WAIT_GRAPH = 3
    """Deadlocks of locks with leases and with pauses for another task are detected and broken."""
    ONE_STORY_A_REASON = 4
    """A task kept apart from several others for one reason has one conflict, not one per pair."""
    ROOM_IS_LEARNED = 5
    """A task ended for others' memory costs no try, and is expected to need twice what it used."""


NEWEST = int(max(Semantics))


class ReplayError(Exception):
    """Recorded events contradict one another under this version's semantics; the text says how."""
