"""The life cycle of a task: its phases and the legal transitions between them.

A task waits for its needs, is ready until it gets a slot and its locks, holds the slot from
`starting` until its process is gone, is captured, and lands. Every end of an attempt goes through
`capturing`, so no work is dropped before a ref holds it; the only exception is an attempt whose
engine died before any process started. A task without success may turn out to have landed when the
journal is an older copy.
"""

from enum import StrEnum


class Phase(StrEnum):
    """The phase of a task."""

    WAITING = "waiting"  # for its needs
    READY = "ready"  # for a slot, a lock, or the landing of a neighbour
    STARTING = "starting"  # it holds a slot; workspace and process are being prepared
    RUNNING = "running"
    PAUSED = "paused"  # its whole process tree is frozen
    STOPPING = "stopping"  # asked to end; the slot is held until then
    CAPTURING = "capturing"  # the process is gone; the work is being put under a ref
    BACKOFF = "backoff"  # failed or conflicted; tried again at `retry_at`
    QUEUED = "queued"  # in the merge queue
    LANDING = "landing"  # at the front of the merge queue
    CONFLICT = "conflict"  # waits for a decision
    LANDED = "landed"  # its commit is on the integration branch
    DONE = "done"  # succeeded with nothing to land, or is disabled
    FAILED = "failed"
    ABORTED = "aborted"
    SKIPPED = "skipped"  # something it needs did not succeed


class LandingStage(StrEnum):
    """The stage of a task at the front of the merge queue."""

    MERGING = "merging"
    MERGED = "merged"  # to be tested, or part of a batch under test
    GATING = "gating"  # together with all entries before it
    GATING_AGAIN = "gating_again"  # the gate failed and runs again, as the failure may be flaky
    GATING_BASE = "gating_base"  # the gate failed and runs on the base, which may be red as well
    PASSED = "passed"  # lands after the entries before it
    MOVING = "moving"


class RunStage(StrEnum):
    """The stage of the run as a whole."""

    RUNNING = "running"
    PAUSED = "paused"
    DRAINING = "draining"  # starts nothing more and waits for running agents
    FINISHED = "finished"


HOLDS_SLOT = frozenset({Phase.STARTING, Phase.RUNNING, Phase.PAUSED, Phase.STOPPING})
IN_MERGE_QUEUE = frozenset({Phase.QUEUED, Phase.LANDING})
IN_FLIGHT = HOLDS_SLOT | IN_MERGE_QUEUE | {Phase.CAPTURING}
SUCCEEDED = frozenset({Phase.LANDED, Phase.DONE})
TERMINAL = SUCCEEDED | {Phase.FAILED, Phase.ABORTED, Phase.SKIPPED}
ACTIVE = frozenset(Phase) - TERMINAL - {Phase.WAITING}  # can move without the end of another task

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
    Phase.LANDED: frozenset({Phase.ABORTED}),  # rolled back
    Phase.DONE: frozenset(),
    Phase.FAILED: frozenset({Phase.WAITING, Phase.READY, Phase.CAPTURING, Phase.QUEUED}),
    Phase.ABORTED: frozenset({Phase.WAITING, Phase.READY}),
    Phase.SKIPPED: frozenset({Phase.WAITING, Phase.READY}),
}
LEGAL: dict[Phase, frozenset[Phase]] = {
    phase: after if phase in SUCCEEDED else after | {Phase.LANDED}
    for phase, after in _LEGAL.items()
}
