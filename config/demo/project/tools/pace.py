"""Steps slow enough to watch: each reports what it does and the overall progress."""

import os
import time

PACE = float(os.environ.get("DEMO_PACE", "1"))


def steps(things, seconds):
    """Yield each thing, spread over the seconds, reporting progress to the terminal (OSC 9;4)."""
    things = list(things)
    for place, thing in enumerate(things):
        print(f"\x1b]9;4;1;{100 * place // len(things)}\x07", end="", flush=True)
        time.sleep(PACE * seconds / len(things))
        yield thing
    print("\x1b]9;4;1;100\x07", end="", flush=True)


def say(text):
    print(text, flush=True)
