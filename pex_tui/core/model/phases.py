"""The life of a task as a table: which phase may follow which.

A task waits for its needs, is ready until a slot, its locks and its neighbours allow a start, holds
a slot from `starting` until its process is gone, is captured, and lands. Everything that ends an
attempt goes through `capturing`, so no work is dropped before a ref keeps it; only an attempt of
which no process ever ran, as its engine died before, goes straight back. Whatever has not ended
well may be found to have landed, where the journal is an older copy.
"""

from enum import StrEnum


class Phase(StrEnum):
    """Where a task stands."""

    WAITING = "waiting"  # for its needs
    READY = "ready"  # for a slot, a lock, or a neighbour's landing
    STARTING = "starting"  # slot taken, workspace and process on their way
    RUNNING = "running"
    PAUSED = "paused"  # its whole process tree is frozen
    STOPPING = "stopping"  # asked to end; the slot is held until it has
    CAPTURING = "capturing"  # process gone; its work is being put under a ref
    BACKOFF = "backoff"  # failed or met conflicts, to be tried again at `retry_at`
    QUEUED = "queued"  # in the merge queue
    LANDING = "landing"  # at the front of the merge queue
    CONFLICT = "conflict"  # waits for a decision
    LANDED = "landed"  # its commit is on the integration branch
    DONE = "done"  # ended well with nothing to land, or was switched off
    FAILED = "failed"
    ABORTED = "aborted"
    SKIPPED = "skipped"  # something it needs did not end well


class LandingStage(StrEnum):
    """What is being done with a task at the front of the merge queue."""

    MERGING = "merging"
    MERGED = "merged"  # to be tested, or part of what is being tested
    GATING = "gating"  # with all before it
    GATING_AGAIN = "gating_again"  # the gate failed; was that by chance?
    GATING_BASE = "gating_base"  # the gate failed; is it red on the base as well?
    PASSED = "passed"  # lands once those before it have
    MOVING = "moving"


class RunStage(StrEnum):
    """Where the run as a whole stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"  # starts nothing more, lets the rest end
    FINISHED = "finished"


HOLDS_SLOT = frozenset({Phase.STARTING, Phase.RUNNING, Phase.PAUSED, Phase.STOPPING})
IN_MERGE_QUEUE = frozenset({Phase.QUEUED, Phase.LANDING})
IN_FLIGHT = HOLDS_SLOT | IN_MERGE_QUEUE | {Phase.CAPTURING}
SUCCEEDED = frozenset({Phase.LANDED, Phase.DONE})
TERMINAL = SUCCEEDED | {Phase.FAILED, Phase.ABORTED, Phase.SKIPPED}
ACTIVE = frozenset(Phase) - TERMINAL - {Phase.WAITING}  # what may move without another's end

_LEGAL: dict[Phase, frozenset[Phase]] = {
    Phase.WAITING: frozenset({Phase.READY, Phase.DONE, Phase.SKIPPED, Phase.ABORTED}),
    Phase.READY: frozenset({Phase.STARTING, Phase.WAITING, Phase.SKIPPED, Phase.ABORTED}),
    Phase.STARTING: frozenset(
        {Phase.RUNNING, Phase.STOPPING, Phase.CAPTURING, Phase.READY, Phase.ABORTED}
    ),
    Phase.RUNNING: frozenset({Phase.PAUSED, Phase.STOPPING, Phase.CAPTURING}),
    Phase.PAUSED: frozenset({Phase.RUNNING, Phase.STOPPING, Phase.CAPTURING}),
    Phase.STOPPING: frozenset({Phase.CAPTURING, Phase.READY, Phase.ABORTED}),
    Phase.CAPTURING: frozenset(
        {
            Phase.QUEUED,
            Phase.DONE,
            Phase.CONFLICT,
            Phase.BACKOFF,
            Phase.READY,
            Phase.FAILED,
            Phase.ABORTED,
        }
    ),
    Phase.BACKOFF: frozenset({Phase.READY, Phase.SKIPPED, Phase.ABORTED}),
    Phase.QUEUED: frozenset({Phase.LANDING, Phase.ABORTED}),
    Phase.LANDING: frozenset(
        {
            Phase.LANDED,
            Phase.DONE,
            Phase.CONFLICT,
            Phase.QUEUED,
            Phase.READY,
            Phase.BACKOFF,
            Phase.FAILED,
            Phase.ABORTED,
        }
    ),
    Phase.CONFLICT: frozenset({Phase.QUEUED, Phase.READY, Phase.ABORTED}),
    Phase.LANDED: frozenset(),
    Phase.DONE: frozenset(),
    Phase.FAILED: frozenset({Phase.WAITING, Phase.READY, Phase.CAPTURING, Phase.QUEUED}),
    Phase.ABORTED: frozenset({Phase.WAITING, Phase.READY}),
    Phase.SKIPPED: frozenset({Phase.WAITING, Phase.READY}),
}
LEGAL: dict[Phase, frozenset[Phase]] = {
    phase: after if phase in SUCCEEDED else after | {Phase.LANDED}
    for phase, after in _LEGAL.items()
}
