"""What each command does, from its options to its exit code."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from pex_tui.adapters.process.watcher import use_pidfd_watcher
from pex_tui.core.codec import encode
from pex_tui.core.events import Event
from pex_tui.core.ids import RunId
from pex_tui.engine.local import LocalSession
from pex_tui.engine.session import PlanDraft
from pex_tui.headless.feed import Narrator, Printer, to_stream
from pex_tui.headless.run import drive, was_let_go
from pex_tui.wiring.ground import Ground, open_ground
from pex_tui.wiring.sessions import RunOptions, resume_run, start_run

Options = argparse.Namespace


def run(options: Options) -> int:
    """`pex-tui run PLAN`."""
    return _await(_run(options))


async def _run(options: Options) -> int:
    ground = await _ground(options)
    draft = await ground.load_plan(
        Path(options.plan), slots=options.slots, fail_fast=options.fail_fast, land=options.land
    )
    hosting = RunOptions(
        attended=False,
        wait=options.wait,
        name=options.name,
        include_uncommitted=options.include_uncommitted,
        land=options.land,
    )
    session = await start_run(ground, draft, hosting)
    return await drive_headless(ground, session, as_json=options.json)


async def drive_headless(ground: Ground, session: LocalSession, *, as_json: bool) -> int:
    """Drive a session to its end, telling of it, and print the report."""
    notes, output = to_stream(sys.stderr), to_stream(sys.stdout)
    for notice in session.state.notices:
        notes(f"! {notice}")
    if as_json:
        session.watch(_json_lines(output, session))
    else:
        session.watch(Narrator(notes, lambda: session.state))
    state = await drive(session)
    if was_let_go(state):
        notes(f"run {state.run} was taken over by another process")
        return 0
    return state.exit_code or 0


def _json_lines(output: Printer, session: LocalSession) -> "Any":
    def write(seq: int, event: Event) -> None:
        output(json.dumps(encode(event, seq, session.state.run)))

    return write


async def _ground(options: Options) -> Ground:
    return await open_ground(getattr(options, "repo", None) or Path.cwd(), getattr(options, "set", None) or ())


def _await(coroutine: Coroutine[Any, Any, int]) -> int:
    use_pidfd_watcher()
    return asyncio.run(coroutine)
