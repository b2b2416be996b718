"""Holds on agents that are not their fault: a provider's rate limit, an exhausted budget."""

from random import Random

from pex_tui.core.lifecycle.step_draft import Draft
from pex_tui.core.model.plan import TaskSpec
from pex_tui.core.model.run_rules import RunRules
from pex_tui.core.model.state import ProviderLimit, RunState

MOST_REFUSALS = 12  # consecutive ones, about an hour and a half; then a task fails
_FIRST_SECONDS = 15.0
_MOST_SECONDS = 600.0


def limit_of(state: RunState, spec: TaskSpec) -> ProviderLimit | None:
    """Return the limit in force on the task's agent."""
    if spec.brief is None:
        return None
    known = _known(state, spec.provider)
    return known if known is not None and known.until > state.now else None


def limit_provider(
    draft: Draft, spec: TaskSpec, wait_seconds: float | None
) -> ProviderLimit | None:
    """Record a provider's refusal: it lasts as long as it says, else exponentially longer."""
    if spec.brief is None:
        return None
    provider = spec.provider
    known = _known(draft.state, provider)
    is_new = known is None or draft.now >= known.until
    hits = (known.hits if known else 0) + is_new
    wait = wait_seconds if wait_seconds is not None else _backoff(draft.state, provider, hits)
    until = max(known.until if known else 0.0, draft.now + max(1.0, wait))
    limit = ProviderLimit(provider, until, hits)
    others = tuple(one for one in draft.state.limits if one.provider != provider)
    draft.set(limits=(*others, limit))
    return limit


def lift_limit(draft: Draft, spec: TaskSpec) -> None:
    """Clear the limit of a provider that answers again."""
    known = None if spec.brief is None else _known(draft.state, spec.provider)
    if known is not None and draft.now >= known.until:
        draft.set(limits=tuple(one for one in draft.state.limits if one is not known))


def total_spent(state: RunState) -> tuple[int, float]:
    """Return the tokens and US dollars that the run has used so far, as far as agents report."""
    tokens = sum(task.tokens or 0 for task in state.tasks)
    return tokens, sum(task.cost_usd or 0.0 for task in state.tasks)


def has_budget(rules: RunRules) -> bool:
    """Return whether the run has a budget."""
    return rules.budget_usd is not None or rules.budget_tokens is not None


def over_budget(state: RunState) -> str:
    """Return which budget is exhausted, in words; empty while none is."""
    if not has_budget(state.rules):
        return ""
    tokens, usd = total_spent(state)
    rules, times = state.rules, state.budgets
    if rules.budget_usd is not None and usd >= rules.budget_usd * times:
        return f"${usd:.2f} of ${rules.budget_usd * times:.2f}"
    if rules.budget_tokens is not None and tokens >= rules.budget_tokens * times:
        return f"{tokens:,} of {rules.budget_tokens * times:,} tokens"
    return ""


def extend_budget(draft: Draft) -> None:
    """Grant the run its budget once more, beyond what its agents have already used."""
    tokens, usd = total_spent(draft.state)
    rules = draft.state.rules
    pairs = ((usd, rules.budget_usd), (tokens, rules.budget_tokens))
    used = (int(amount / budget) for amount, budget in pairs if budget)
    draft.set(budgets=max(draft.state.budgets, *used, 0) + 1)


def _known(state: RunState, provider: str) -> ProviderLimit | None:
    return next((one for one in state.limits if one.provider == provider), None)


def _backoff(state: RunState, provider: str, hits: int) -> float:
    plain = min(_MOST_SECONDS, _FIRST_SECONDS * 2.0 ** (hits - 1))
    return plain * Random(f"{state.seed}/{provider}/{hits}").uniform(0.8, 1.2)  # noqa: S311
