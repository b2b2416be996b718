"""Steps that can be watched: each says what it does and how far the whole has come."""

import os
import time

PACE = float(os.environ.get("DEMO_PACE", "1"))


def steps(things, seconds):
    """Yield each thing, spread over the seconds, telling the terminal how far it is (OSC 9;4)."""
    things = list(things)
    for place, thing in enumerate(things):
        print(f"\x1b]9;4;1;{100 * place // len(things)}\x07", end="", flush=True)
        time.sleep(PACE * seconds / len(things))
        yield thing
    print("\x1b]9;4;1;100\x07", end="", flush=True)


def say(text):
    print(text, flush=True)
