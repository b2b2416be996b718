"""Agents with a protocol, played by scripted programs: their actions, questions and ends."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pex_tui.adapters.agents.conversation import Conversation
from pex_tui.adapters.agents.protocols.registry import machine_of
from pex_tui.adapters.agents.record import AgentRecord
from pex_tui.adapters.process.runner import ShimRunner
from pex_tui.adapters.system.clock import SystemClock
from pex_tui.core.model.task_state import FailureKind, Verdict
from pex_tui.engine.attempt import Asked, Exited, Judgement, Limited, Spent, Started
from tests.adapters.agents.talks import SESSION, Talks
from tests.waiting import until


@pytest.fixture
async def talks(tmp_path: Path) -> AsyncIterator[Talks]:
    talks = Talks(tmp_path)
    yield talks
    await talks.runner.stop(talks.key(), 0.0)
    await talks.runner.close()


async def test_a_session_of_claude_from_prompt_to_result(talks: Talks) -> None:
    started = await talks.start("claude", "basic")
    exited = await talks.end()

    assert started.listens
    assert exited.judgement == Judgement(None)
    assert talks.made("prompt.txt").read_text(encoding="utf-8") == "Do it."
    assert talks.progress.fraction == pytest.approx(1 / 3)
    assert talks.progress.activity == "Writeing"
    assert talks.told(Spent) == [Spent(1000, 0.25, 1)]
    assert talks.transcript(talks.key()).splitlines() == [
        "> Do it.",
        "I will write it.",
        "● Write made.txt",
        "= success",
    ]


async def test_steps_that_are_made_one_by_one_count_as_well(talks: Talks) -> None:
    await talks.play("claude", "tasks")

    assert talks.progress.fraction == pytest.approx(1 / 2)


async def test_the_cost_of_a_resumed_session_is_what_is_new(talks: Talks) -> None:
    await talks.start("claude", "two-turns", resumes=True, cost_before=0.2)
    await talks.end()

    costs = [
        round(report.cost_usd or 0, 6) for report in talks.told(Spent) if isinstance(report, Spent)
    ]
    assert costs == [0.05, 0.5]


@pytest.mark.parametrize(
    ("play", "failure", "words"),
    [
        ("error", FailureKind.LIMIT, "429"),
        ("bad-request", FailureKind.AGENT, "prompt is too long"),
        (
            "silent-end",
            FailureKind.AGENT,
            "without a result (exit 0); its last message: I am about to",
        ),
        ("drop", FailureKind.AGENT, "without a result (exit 1)"),
        ("unauthorised", FailureKind.AUTH, "not logged in"),
        ("logged-out", FailureKind.AUTH, "not logged in"),
    ],
)
async def test_only_a_good_result_is_a_success(
    talks: Talks, play: str, failure: FailureKind, words: str
) -> None:
    exited = await talks.play("claude", play)

    assert exited.judgement is not None
    assert exited.judgement.failure is failure
    assert words in exited.judgement.detail


async def test_a_line_of_200_kilobytes_and_one_that_is_no_json_do_no_harm(talks: Talks) -> None:
    exited = await talks.play("claude", "long-line")

    assert exited.judgement == Judgement(None)
    assert "a warning of the runtime" in talks.transcript(talks.key())


async def test_a_rate_limit_is_told_with_its_time(talks: Talks) -> None:
    await talks.start("claude", "limited")
    await until(lambda: talks.told(Limited))
    talks.made("heard").touch()
    await talks.end()

    assert talks.told(Limited) == [Limited(4.0, "the model refuses requests (429)")]


@pytest.mark.parametrize(
    ("verdict", "behaviour"), [(Verdict.ALLOW_ONCE, "allow"), (Verdict.DENY, "deny")]
)
async def test_a_permission_is_asked_and_answered(
    talks: Talks, verdict: Verdict, behaviour: str
) -> None:
    await talks.start("claude", "asks")
    await until(lambda: talks.told(Asked))
    await talks.runner.answer(talks.key(), "p1", verdict)
    exited = await talks.end()

    assert talks.told(Asked) == [Asked("p1", "Bash", "run touch x", ("touch x",), "Bash(touch x)")]
    answer = json.loads(talks.made("answer.json").read_text(encoding="utf-8"))
    assert answer["behavior"] == behaviour
    assert exited.judgement == Judgement(None)  # the gate decides if its work suffices


async def test_a_message_joins_the_turn(talks: Talks) -> None:
    await talks.start("claude", "message")
    assert await talks.runner.tell(talks.key(), "mind the tests")
    exited = await talks.end()

    assert exited.judgement == Judgement(None)
    assert talks.made("told.txt").read_text(encoding="utf-8") == "mind the tests"
    assert not await talks.runner.tell(talks.key(), "too late")


async def test_a_gentle_pause_holds_it_before_its_next_tool(talks: Talks) -> None:
    await talks.start("claude", "basic")
    assert await talks.runner.pause(talks.key(), gently=True)
    assert not talks.made("made.txt").exists()

    assert await talks.runner.resume(talks.key())
    assert (await talks.end()).judgement == Judgement(None)
    assert talks.made("made.txt").exists()


async def test_an_abort_asks_first_and_leaves_nothing(talks: Talks) -> None:
    await talks.start("claude", "interrupt")
    await until(lambda: talks.made("prompt.txt").exists())
    await talks.runner.stop(talks.key(), 5.0)
    exited = await talks.end()

    assert exited.exit_code == 0  # it exited by itself, once its input had ended
    assert exited.judgement is not None
    assert exited.judgement.failure is FailureKind.AGENT


async def test_an_agent_that_does_not_leave_is_ended_and_has_succeeded(talks: Talks) -> None:
    await talks.start("claude", "linger")
    await until(lambda: talks.told(Spent))
    await talks.runner.stop(talks.key(), 0.1)

    assert (await talks.end()).judgement == Judgement(None)


async def test_a_silent_agent_is_stopped_and_one_at_work_is_not(tmp_path: Path) -> None:
    talks = Talks(tmp_path, stall_seconds=0.3)
    exited = await talks.play("claude", "stall")
    assert exited.judgement is not None
    assert exited.judgement.failure is FailureKind.STALL

    busy = Talks(tmp_path / "work", stall_seconds=0.3)
    await busy.start("claude", "busy")
    await until(lambda: busy.reports)
    assert await busy.runner.pause(busy.key())
    await busy.runner.resume(busy.key())
    await busy.runner.stop(busy.key(), 0.0)
    exited = await busy.end()
    assert exited.judgement is not None
    assert exited.judgement.failure is FailureKind.AGENT
    await talks.runner.close()
    await busy.runner.close()


async def test_the_next_engine_goes_on_from_the_logs(talks: Talks, tmp_path: Path) -> None:
    await talks.start("claude", "asks")
    await until(lambda: talks.told(Asked))
    await talks.runner.close()  # as after a crash: nothing is ended

    after = Talks(tmp_path)
    assert isinstance(await after.runner.adopt(after.key()), Started)
    after.listen()
    await until(lambda: after.told(Asked))
    await after.runner.answer(after.key(), "p1", Verdict.ALLOW_ONCE)
    exited = await after.end()

    assert exited.judgement == Judgement(None)
    log = (after.folder(after.key()) / "input.log").read_text(encoding="utf-8")
    assert [json.loads(line)["type"] for line in log.splitlines()] == [
        "control_request",
        "user",
        "control_response",
    ]  # nothing was said twice
    await after.runner.close()


async def test_an_end_that_nobody_saw_is_judged_from_the_log(talks: Talks, tmp_path: Path) -> None:
    await talks.play("claude", "basic")
    await talks.runner.close()

    after = Talks(tmp_path)
    found = await after.runner.wait(talks.key())  # its shim may be about to exit
    await after.runner.close()

    assert found.judgement == Judgement(None)
    assert found.spent == (Spent(1000, 0.25, 1),)


async def test_a_turn_of_the_protocol_from_prompt_to_end(talks: Talks) -> None:
    exited = await talks.play("acp", "basic")

    assert exited.judgement == Judgement(None)
    assert talks.progress.fraction == pytest.approx(1 / 2)
    assert talks.told(Spent) == [Spent(1000, 0.5, 1)]
    heard = talks.made("heard.jsonl").read_text(encoding="utf-8")
    methods = [json.loads(line).get("method") for line in heard.splitlines()]
    assert methods == ["initialize", "session/new", "session/set_mode", "session/prompt", None]
    assert "acceptEdits" in heard
    assert talks.transcript(talks.key()).splitlines() == [
        "I will write it.",
        "● Write a.py",
        "All done.",
        "= end_turn",
    ]


async def test_questions_of_the_protocol_may_be_open_at_once(talks: Talks) -> None:
    await talks.start("acp", "asks")
    await until(lambda: len(talks.told(Asked)) == 3)
    await talks.runner.answer(talks.key(), "2", Verdict.DENY)
    await talks.runner.answer(talks.key(), "1", Verdict.DENY)
    await talks.runner.answer(talks.key(), "0", Verdict.ALLOW_ALWAYS)
    await talks.end()

    assert talks.told(Asked) == [
        Asked("0", "Bash", "run touch x", ("touch x",), "Bash(touch x)"),
        Asked("1", "Edit", "change y", ("y",), "Edit(y)", edits=True),
        Asked("2", "Bash", "run make", ("make",), "Bash(make)"),  # named by its title alone
    ]
    answers = json.loads(talks.made("answers.json").read_text(encoding="utf-8"))
    assert answers == {
        "2": {"outcome": "selected", "optionId": "no"},
        "1": {"outcome": "selected", "optionId": "no"},
        "0": {"outcome": "selected", "optionId": "yes"},  # never one that outlives the run
    }


@pytest.mark.parametrize(
    ("play", "failure", "words"),
    [
        ("refuses", FailureKind.AGENT, "refusal"),
        ("fails", FailureKind.LIMIT, "API Error: 429"),
        ("no-login", FailureKind.AUTH, "Authentication required"),
        ("breaks", FailureKind.AUTH, "its login was rejected: Missing environment variable"),
    ],
)
async def test_a_turn_of_the_protocol_that_fails(
    talks: Talks, play: str, failure: FailureKind, words: str
) -> None:
    exited = await talks.play("acp", play)

    assert exited.judgement is not None
    assert exited.judgement.failure is failure
    assert words in exited.judgement.detail


async def test_an_agent_with_a_key_in_its_environment_is_logged_in(talks: Talks) -> None:
    assert (await talks.play("acp", "login")).judgement == Judgement(None)


async def test_a_session_is_loaded_and_its_replay_is_no_news(talks: Talks) -> None:
    await talks.start("acp", "basic", resumes=True)
    assert (await talks.end()).judgement == Judgement(None)

    heard = talks.made("heard.jsonl").read_text(encoding="utf-8")
    assert '"session/load"' in heard
    assert '"Go on."' in heard
    assert "Old call" not in talks.transcript(talks.key())


async def test_where_no_session_can_be_loaded_a_new_one_is_told_all(talks: Talks) -> None:
    await talks.start("acp", "cannot-load", resumes=True)
    await talks.end()

    heard = talks.made("heard.jsonl").read_text(encoding="utf-8")
    assert '"session/load"' not in heard
    assert '"Do it, taught."' in heard


async def test_a_message_of_the_protocol_is_the_next_turn(talks: Talks) -> None:
    await talks.start("acp", "messages")
    await until(lambda: talks.made("turn.txt").exists())
    assert await talks.runner.tell(talks.key(), "and the tests")
    talks.made("go").touch()
    assert (await talks.end()).judgement == Judgement(None)

    assert _prompts(talks) == ["Do it.", "and the tests"]


@pytest.mark.parametrize("is_told", [False, True])
async def test_the_next_engine_prompts_once_and_hands_a_waiting_message_on(
    talks: Talks, tmp_path: Path, *, is_told: bool
) -> None:
    await talks.start("acp", "messages")
    await until(lambda: talks.made("turn.txt").exists())
    if is_told:
        assert await talks.runner.tell(talks.key(), "and the tests")
    await talks.runner.close()  # as after a crash
    talks.made("go").touch()
    after = Talks(tmp_path)
    assert isinstance(await after.runner.adopt(after.key()), Started)
    after.listen()
    exited = await after.end()

    assert exited.judgement == Judgement(None)
    assert _prompts(talks) == ["Do it.", *(["and the tests"] if is_told else [])]
    await after.runner.close()


def _prompts(talks: Talks) -> list[str]:
    heard = map(json.loads, talks.made("heard.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        line["params"]["prompt"][0]["text"]
        for line in heard
        if line.get("method") == "session/prompt"
    ]


async def test_a_turn_of_the_protocol_is_cancelled(talks: Talks) -> None:
    await talks.start("acp", "cancelled")
    await until(lambda: "session/prompt" in _log(talks.made("heard.jsonl")))
    await talks.runner.stop(talks.key(), 5.0)
    exited = await talks.end()

    assert exited.judgement is not None
    assert "cancelled" in exited.judgement.detail


def _log(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


async def test_a_flood_that_an_agent_leaves_behind_holds_nobody_up(talks: Talks) -> None:
    folder = talks.folder(talks.key())
    folder.mkdir(parents=True)
    (folder / "output.log").write_bytes(b"no message\n" * 100_000)
    record = AgentRecord("claude", 1, str(talks.work), "Do it.", session=SESSION)
    shims = ShimRunner(talks.places, SystemClock())
    talk = Conversation(
        talks.key(), folder, machine_of(record), shims, now=time.monotonic, stall_seconds=None
    )
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(others())
    judged = await talk.finish(Exited(0, None, 1.0, 2.0))
    working.cancel()

    assert turns >= 3
    assert judged.failure is FailureKind.AGENT
