"""The identifiers of a run: distinct types, so that no two can be confused."""

from typing import NewType

RunId = NewType("RunId", str)
TaskId = NewType("TaskId", str)
AgentName = NewType("AgentName", str)
LockName = NewType("LockName", str)
ClaimId = NewType("ClaimId", str)
CommitId = NewType("CommitId", str)
SlotId = NewType("SlotId", int)
