"""The statuses of a task that a person tells apart at a glance."""

from enum import StrEnum


class Mark(StrEnum):
    """A status with a symbol in every symbol set and a colour in every theme."""

    RUNNING = "running"
    STARTING = "starting"
    WAITING = "waiting"
    PAUSED = "paused"
    ASKING = "asking"
    RETRYING = "retrying"
    STOPPING = "stopping"
    LANDING = "landing"
    CONFLICT = "conflict"
    DONE = "done"
    FAILED = "failed"
    BLOCKED = "blocked"
