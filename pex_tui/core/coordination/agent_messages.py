"""Permission requests, messages and usage of agents."""

from pex_tui.core.coordination.write_leases import (
    LEASE,
    answer_permission,
    send_verdict,
    store_permission,
)
from pex_tui.core.events.actions import TellAgent
from pex_tui.core.events.agent_events import (
    AgentLimited,
    AgentSpent,
    MessageSent,
    PermissionAsked,
    PermissionDecided,
    SteeringRefused,
    TalkEvent,
)
from pex_tui.core.lifecycle.permissions import UNKNOWN_TOOLS, ruling
from pex_tui.core.lifecycle.rate_limits import lift_limit, limit_provider
from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.ids import TaskId
from pex_tui.core.model.phases import HOLDS_SLOT
from pex_tui.core.model.state import RunState
from pex_tui.core.model.task_state import ONLY_THIS, Permission, TaskState, Verdict


def apply_talk_event(draft: Draft, event: TalkEvent) -> None:
    """Apply a request, an answer, a message or usage; events of no live attempt are dropped."""
    task = draft.task(event.task)
    if isinstance(event, SteeringRefused):
        draft.notice(f"{task.id} tried to steer the run ({event.request}) and was refused.")
        return
    if task.phase not in HOLDS_SLOT:
        return
    match event:
        case PermissionAsked() if event.attempt == task.attempt:
            _apply_permission_asked(draft, task, event)
        case PermissionDecided():
            _apply_permission_decided(draft, task, event)
        case MessageSent() if task.listens:
            draft.act(TellAgent(task.id, task.attempt, event.text))
        case AgentSpent() if event.attempt == task.attempt:
            _apply_agent_spent(draft, task, event)
        case AgentLimited() if event.attempt == task.attempt:
            limit_provider(draft, draft.spec(task.id), event.wait_seconds)
        case _:
            pass


def open_permissions(state: RunState) -> tuple[tuple[TaskId, Permission], ...]:
    """Return the open permission requests of live agents, oldest first."""
    found = [(task.id, asked) for _, task in state.live() for asked in task.asks]
    return tuple(sorted(found, key=lambda pair: pair[1].asked_at))


def _apply_permission_asked(draft: Draft, task: TaskState, event: PermissionAsked) -> None:
    """Record a request; one repeated after an engine died gets the same answer as before."""
    known = next((one for one in task.permissions if one.request == event.request), None)
    if known is None:
        scope = ONLY_THIS if event.tool in UNKNOWN_TOOLS else event.scope or event.title
        verdict, by = ruling(draft.spec(task.id), event) or (None, "")
        if verdict is None and scope in draft.state.allowed:
            verdict, by = Verdict.ALLOW_ALWAYS, "the run's own rule"
        if event.announced and verdict is not Verdict.DENY:
            verdict, by = Verdict.ALLOW_ONCE, LEASE
        asked = Permission(
            event.request,
            event.tool,
            event.title,
            event.touches,
            scope,
            asked_at=draft.now,
            edits=event.edits,
        )
        if verdict is None:
            store_permission(draft, task.id, asked)
        else:
            answer_permission(draft, task.id, asked, verdict, by)
    elif known.held_by is None:
        send_verdict(draft, task.id, known)


def _apply_permission_decided(draft: Draft, task: TaskState, event: PermissionDecided) -> None:
    """Apply an answer; "always" also answers every open request of the run with its scope."""
    asked = next((one for one in task.permissions if one.request == event.request), None)
    if asked is None or asked.verdict is not None:
        return
    answer_permission(draft, task.id, asked, event.verdict, event.by)
    if event.verdict is Verdict.ALLOW_ALWAYS and asked.scope != ONLY_THIS:
        draft.set(allowed=(*draft.state.allowed, asked.scope))
        for other, waiting in open_permissions(draft.state):
            if waiting.scope == asked.scope:
                answer_permission(draft, other, waiting, event.verdict, event.by)


def _apply_agent_spent(draft: Draft, task: TaskState, event: AgentSpent) -> None:
    if event.number and event.number <= task.spendings:
        return
    lift_limit(draft, draft.spec(task.id))
    cost = task.cost_usd
    if event.cost_usd is not None:
        cost = (cost or 0.0) + event.cost_usd
    tokens = (task.tokens or 0) + event.tokens
    draft.change(task.id, tokens=tokens, cost_usd=cost, spendings=max(event.number, task.spendings))
