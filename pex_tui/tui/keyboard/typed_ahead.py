"""Type-ahead: each key waits until earlier keys are handled and what they open has the focus.

Textual sends a key to the widget that has the focus when the key arrives. What a key opens gets the
focus several turns of the loop later, and by then all keys of one write were sent: they would
control the run instead of filling the field that the first of them opened.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from textual.app import ScreenStackError
from textual.events import Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget

if TYPE_CHECKING:
    from textual.app import App
    from textual.dom import DOMNode
    from textual.screen import Screen
    from textual.worker import Worker

_AT_ONCE = frozenset({"ctrl+c", "ctrl+q"})
_GLANCE_SECONDS = 0.01
_LONGEST_HOLD_SECONDS = 10.0
_CALM_ROUNDS = 2

Parameters = ParamSpec("Parameters")
Node = TypeVar("Node", bound="DOMNode")
Typed = Key | Paste


class PassedThrough(Message):
    """A message sent after a key: when it has reached the app, the key has been handled."""

    def __init__(self) -> None:
        super().__init__()
        self.has_arrived = asyncio.Event()


class _Hold(NamedTuple):
    """A screen over which a worker may open something, and how long keys wait for that."""

    screen: Screen[Any]
    until: float


class TypedAhead:
    """Holds keys back while something may still open or load; `forward` sends a key on.

    Keys that leave the app pass at once, and the keys waiting before them are dropped.
    """

    def __init__(self, app: App[Any], forward: Callable[[Typed], Awaitable[None]]) -> None:
        self._app = app
        self._forward = forward
        self._held: deque[Typed] = deque()
        self._settling: asyncio.Task[None] | None = None
        self._awaited: dict[Worker[None], _Hold] = {}

    @property
    def is_calm(self) -> bool:
        """True once every key has been handled."""
        return self._settling is None

    async def take(self, event: Typed) -> None:
        """Send the event on, now or once the earlier ones are handled."""
        if isinstance(event, Key) and event.key in _AT_ONCE:
            self._held.clear()
            self._settling = None
        self._held.append(event)
        if self._settling is None:
            await self._send_on()

    def drop(self) -> None:
        """Forget the waiting keys: their screen is going away."""
        self._held.clear()

    def begin(
        self, node: DOMNode, action: str, run: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        """Run a command as a worker of the node, once at a time; keys wait for it."""
        name = f"command {action}"
        if any(one.name == name and one.node is node for one in self._live()):
            return
        self.wait_for(node.run_worker(run(), name=name, group="commands"))

    def wait_for(self, worker: Worker[None], seconds: float | None = None) -> None:
        """Have keys wait until the worker has opened something over its screen, or has ended.

        A worker that takes longer (by default ten seconds) is no longer waited for.
        """
        screen = worker.node.screen
        longest = _LONGEST_HOLD_SECONDS if seconds is None else seconds
        self._awaited[worker] = _Hold(screen, asyncio.get_running_loop().time() + longest)
        if self._settling is None:
            self._begin_to_settle(screen)

    async def _send_on(self) -> None:
        while self._held:
            event = self._held.popleft()
            target = self._app.focused or self._app.screen
            await self._forward(event)
            if not _is_text(event, target):
                self._begin_to_settle(target)
                return
        self._settling = None

    def _begin_to_settle(self, target: MessagePump) -> None:
        settling = asyncio.create_task(self._settle(target), name="typed ahead")
        settling.add_done_callback(partial(self._app.call_later, self._settled))
        self._settling = settling

    async def _settled(self, settling: asyncio.Task[None]) -> None:
        if settling is not self._settling:
            return
        if self._app.screen in self._held_screens():  # since the last look
            self._begin_to_settle(self._app.screen)
        else:
            await self._send_on()

    async def _settle(self, target: MessagePump) -> None:
        """Wait until the key has been handled and the focus has settled."""
        seen: object = None
        calm = 0
        with suppress(ScreenStackError):  # the app is exiting
            while calm < _CALM_ROUNDS:
                await self._passed_through(target)
                await self._opened()
                now = self._app.screen, self._app.focused
                calm = calm + 1 if now == seen else 0
                seen, target = now, now[1] or now[0]

    async def _passed_through(self, target: MessagePump) -> None:
        """Wait until the target, its ancestors and the app have handled all pending messages."""
        screen, marker = self._app.screen, PassedThrough()
        marker.set_sender(self._app)  # a message goes no higher than its sender
        if not target.post_message(marker):
            return
        while target.is_running and self._app.screen is screen and not marker.has_arrived.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_GLANCE_SECONDS):
                    await marker.has_arrived.wait()

    async def _opened(self) -> None:
        """Wait while a worker prepares what it will open or show."""
        while self._app.screen in self._held_screens():  # noqa: ASYNC110  # news of many kinds
            await asyncio.sleep(_GLANCE_SECONDS)

    def _held_screens(self) -> set[Screen[Any]]:
        """Return the screens over which workers may still open something."""
        now = asyncio.get_running_loop().time()
        holds = (self._awaited[worker] for worker in self._live())
        return {hold.screen for hold in holds if now < hold.until}

    def _live(self) -> tuple[Worker[None], ...]:
        for worker in tuple(self._awaited):
            if worker.is_finished or worker.is_cancelled:
                del self._awaited[worker]
        return tuple(self._awaited)


def _is_text(event: Typed, target: MessagePump) -> bool:
    """Return whether a field merely takes the event as text, so that it cannot open anything."""
    if isinstance(event, Paste):
        return True
    return isinstance(target, Widget) and target.check_consume_key(event.key, event.character)


class _Host(Protocol):
    """The app, which holds keys back for all of its nodes."""

    typed: TypedAhead


def command(
    action: Callable[Concatenate[Node, Parameters], Coroutine[Any, Any, None]],
) -> Callable[Concatenate[Node, Parameters], None]:
    """Turn an action into a command: a worker that later keys wait for.

    For every action that asks, or opens a form or another screen. No later key cancels it.
    """

    @wraps(action)
    def begin(node: Node, /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> None:
        app = cast("_Host", node.app)
        app.typed.begin(node, action.__name__, partial(action, node, *args, **kwargs))

    begin.is_command = True  # type: ignore[attr-defined]  # for the tests
    return begin
