"""Statuses of a task as screens tell them apart."""

from enum import StrEnum


class Status(StrEnum):
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
