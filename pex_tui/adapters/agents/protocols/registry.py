"""Which dialect an attempt is spoken with in."""

from pex_tui.adapters.agents.protocols.acp import AcpDialect
from pex_tui.adapters.agents.protocols.claude import ClaudeDialect
from pex_tui.adapters.agents.protocols.codex import CodexDialect
from pex_tui.adapters.agents.protocols.gemini import GeminiDialect
from pex_tui.adapters.agents.protocols.opencode import OpencodeDialect
from pex_tui.adapters.agents.protocols.protocol import Dialect
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.core.model.plan import Talk

SPOKEN = frozenset({Talk.CLAUDE, Talk.ACP})
"""Those whose stdin is ours."""


def dialect_of(record: AgentRecord) -> Dialect:
    """The dialect of an attempt; raise ValueError for a plain command."""
    match record.talk:
        case Talk.CLAUDE:
            return ClaudeDialect(record)
        case Talk.ACP:
            return AcpDialect(record)
        case Talk.CODEX:
            return CodexDialect(record)
        case Talk.GEMINI:
            return GeminiDialect(record)
        case Talk.OPENCODE:
            return OpencodeDialect(record)
        case Talk.COMMAND:
            raise ValueError("a plain command is not spoken with")
