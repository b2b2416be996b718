"""The conversation with one attempt: read its logs, have the machine interpret them, send answers.

The input log holds what was said to the agent, the output log what it replied. Each engine reads
both from the start, so a crash in mid-turn loses neither a question nor an answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from pex_tui.adapters.agents.protocols.protocol import ANSWER, ProtocolMachine, Say
from pex_tui.adapters.agents.record import TRANSCRIPT, keep_message, kept_messages
from pex_tui.adapters.process.records import INPUT_LOG, OUTPUT_LOG
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.core.sanitize import clean
from pex_tui.engine.attempt import (
    AgentReport,
    Asked,
    AttemptKey,
    Exited,
    Judgement,
    Limited,
    Progress,
    Spent,
)
from pex_tui.logs.follow import GrowingLog

_QUICK_SECONDS = 0.05
_SLOW_SECONDS = 0.25  # after a look that found nothing new
_QUIET_SECONDS = 2.0
_LEAVING_SECONDS = 10.0  # for an agent to exit after its input has ended
_INTERRUPT_SECONDS = 2.0
_LONGEST_LINE = 4000  # characters of one transcript line


class Conversation:
    """The conversation with one live attempt; `run` continues until `finish` is called."""

    def __init__(
        self,
        key: AttemptKey,
        folder: Path,
        machine: ProtocolMachine,
        shims: ShimRunner,
        *,
        now: Callable[[], float],
        stall_seconds: float | None,
        held: bool = False,
    ) -> None:
        self._key = key
        self._folder = folder
        self._machine = machine
        self._shims = shims
        self._now = now
        self._stall_seconds = stall_seconds
        self._held = held
        self._frozen = False
        self._log = GrowingLog(folder / OUTPUT_LOG)
        self._transcript: TextIO | None = None
        self._said: set[str] = set()
        self._kept: list[Say] = []  # answers held back by a pause
        self._reports: asyncio.Queue[AgentReport | None] = asyncio.Queue()
        self._news = asyncio.Event()
        self._is_open = asyncio.Event()
        self._is_gone = False
        self._is_closed = False
        self._catching_up = True
        self._heard_at = now()
        self._input_ended_at: float | None = None
        self._stopped: Judgement | None = None

    @property
    def listens(self) -> bool:
        """True if the agent accepts messages."""
        return self._machine.listens

    async def run(self) -> None:
        """Read and answer until the attempt has ended."""
        self._recall()
        remind(self._folder, self._machine)
        for say in self._machine.opening():
            await self._say(say)
        self._is_open.set()
        while not self._is_gone:
            more = await self._listen()
            if more:
                await asyncio.sleep(0)
                continue
            self._catching_up = False
            await self._look_after()
            quiet = self._now() - self._heard_at > _QUIET_SECONDS
            await asyncio.sleep(_SLOW_SECONDS if quiet else _QUICK_SECONDS)

    async def reports(self) -> AsyncIterator[AgentReport]:
        """Yield what the agent does, asks and spends, until the attempt has ended."""
        while (report := await self._reports.get()) is not None:
            yield report

    async def answer(self, request: str, verdict: Verdict) -> None:
        """Answer a question, unless it was withdrawn or has been answered."""
        say = self._machine.answer(request, verdict)
        if say is not None:
            word = "denied" if verdict is Verdict.DENY else "allowed"
            self._show([f"  → {word}"])
            await self._say(say)

    async def tell(self, text: str) -> bool:
        """Send a person's message to the agent, after the prompt."""
        await self._is_open.wait()
        says = self._machine.message(text)
        if says is None:
            return False
        if not says:  # waits for the end of the turn, which a later engine may see
            with suppress(OSError):
                keep_message(self._folder, text)
        for say in says:
            await self._say(say)
        return True

    async def hold(self) -> bool:
        """Hold the agent at its next step; return False if it never reaches one."""
        self._held = True
        await self._until(lambda: not self._held or self._stands)
        return self._held and self._stands

    async def release(self) -> None:
        """Send the answers that were held back."""
        self._held = False
        self._news.set()
        kept, self._kept = self._kept, []
        self._heard_at = self._now()
        for say in kept:
            await self._say(say)

    def froze(self, *, frozen: bool) -> None:
        """Note that its processes are frozen or thawed: silence while frozen means nothing."""
        self._frozen = frozen
        self._heard_at = self._now()

    async def interrupt(self) -> None:
        """Ask the agent to end its turn, and give it a moment to do so."""
        say = self._machine.interrupt()
        if say is None or self._frozen:
            return
        self._held = False
        await self._say(say)
        with suppress(TimeoutError):
            async with asyncio.timeout(_INTERRUPT_SECONDS):
                await self._until(lambda: self._machine.is_over)
                await self._shims.end_input(self._key)
                await self._until(lambda: False)  # it may exit by itself

    async def finish(self, exited: Exited) -> Judgement:
        """Read the rest of the output once the attempt has ended, and return how it ended.

        Yields to other tasks of the loop between pieces.
        """
        self._is_gone = True
        self._news.set()
        more = True
        while more:
            lines, more = self._log.read()
            self._hear(lines)
            await asyncio.sleep(0)
        self._hear([line for line in (self._log.last(),) if line.strip()])
        self.close()
        judged = self._machine.judge(exited)
        return judged if judged.failure is None else self._stopped or judged

    def close(self) -> None:
        """Let go of the agent, which keeps running."""
        self._is_gone = True
        self._news.set()
        self._is_open.set()
        self._reports.put_nowait(None)
        self._is_closed = True
        if self._transcript is not None:
            with suppress(OSError):
                self._transcript.close()

    def _recall(self) -> None:
        """Recall what an earlier engine has said."""
        log = GrowingLog(self._folder / INPUT_LOG)
        more = True
        while more:
            lines, more = log.read()
            self._said |= {key for line in lines if (key := self._machine.key_of(line))}

    @property
    def _stands(self) -> bool:
        """Return whether the agent waits for an answer that is held back."""
        return bool(self._kept) or self._machine.asks

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait for the condition, or for the end of the attempt."""
        while not (self._is_gone or condition()):
            self._news.clear()
            await self._news.wait()

    async def _listen(self) -> bool:
        lines, more = self._log.read()
        if lines:
            self._heard_at = self._now()
            for say in self._hear(lines):
                await self._say(say)
            self._news.set()
        return more

    def _hear(self, lines: list[bytes]) -> list[Say]:
        says: list[Say] = []
        progress: Progress | None = None
        for line in lines:
            heard = self._machine.hear(line)
            says += heard.says
            for report in heard.reports:
                if isinstance(report, Progress):
                    progress = report
                elif not self._is_old(report):
                    self._reports.put_nowait(report)
            self._show(heard.shown)
        if progress is not None:
            self._reports.put_nowait(progress)
        return says

    def _is_old(self, report: AgentReport) -> bool:
        """Return whether an earlier engine has dealt with the report."""
        if isinstance(report, Asked) and ANSWER + report.request in self._said:
            self._machine.answer(report.request, Verdict.DENY)  # it has the answer already
            return True
        return isinstance(report, Limited) and self._catching_up

    async def _say(self, say: Say) -> None:
        if say.key in self._said:
            return
        if say.waits and self._held:
            self._kept.append(say)
            self._news.set()
            return
        try:
            taken = await self._shims.send(self._key, say.line)
        except TimeoutError:
            self._recall()  # the log shows whether it was taken
            taken = say.key in self._said
        if taken:
            self._said.add(say.key)

    async def _look_after(self) -> None:
        """End the input of an agent that is done; stop one that failed or is silent too long."""
        now = self._now()
        if self._stopped is not None:
            return
        if self._machine.fatal is not None:
            await self._stop(self._machine.fatal)
        elif self._machine.is_over:
            if self._input_ended_at is None:
                self._input_ended_at = now
                await self._shims.end_input(self._key)
            elif now - self._input_ended_at > _LEAVING_SECONDS:
                await self._shims.stop(self._key, _INTERRUPT_SECONDS)
        elif self._is_stalled(now):
            silence = f"it was silent for {now - self._heard_at:.0f} s without using a tool"
            await self._stop(Judgement(FailureKind.STALL, silence))

    def _is_stalled(self, now: float) -> bool:
        if self._stall_seconds is None or self._held or self._frozen or self._machine.is_busy:
            return False
        return now - self._heard_at > self._stall_seconds

    async def _stop(self, why: Judgement) -> None:
        self._stopped = why
        self._show([f"✗ {why.detail}"])
        await self._shims.stop(self._key, _INTERRUPT_SECONDS)

    def _show(self, lines: list[str]) -> None:
        """Append lines to the transcript, which each engine writes anew; ignore a full disk."""
        if not lines or self._is_closed:
            return
        with suppress(OSError):
            if self._transcript is None:
                self._transcript = (self._folder / TRANSCRIPT).open("w", encoding="utf-8")
            self._transcript.writelines(clean(line, _LONGEST_LINE) + "\n" for line in lines)
            self._transcript.flush()


def remind(folder: Path, machine: ProtocolMachine) -> None:
    """Tell a new machine which messages were waiting for the end of a turn."""
    for text in kept_messages(folder):
        machine.message(text)


def hear_all(folder: Path, machine: ProtocolMachine) -> tuple[Spent, ...]:
    """Feed the whole log of an ended attempt to its machine; return what the attempt spent."""
    remind(folder, machine)
    log = GrowingLog(folder / OUTPUT_LOG)
    spent: list[Spent] = []
    more = True
    while more:
        lines, more = log.read()
        for line in lines if more else [*lines, log.last()]:
            spent += [one for one in machine.hear(line).reports if isinstance(one, Spent)]
    return tuple(spent)
