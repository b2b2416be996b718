"""Writes CHANGELOG.md from what has landed since the first commit."""

import subprocess
from pathlib import Path

from pace import say, steps

SECONDS = 3


def main():
    log = subprocess.run(
        ["git", "log", "--reverse", "--format=%s"], check=True, capture_output=True, text=True
    )
    notes = []
    for subject in steps(log.stdout.splitlines()[2:], SECONDS):
        notes.append(f"- {subject}")
        say(notes[-1])
    Path("CHANGELOG.md").write_text("# Changes\n\n" + "\n".join(notes) + "\n")
    say(f"{len(notes)} changes in CHANGELOG.md")


if __name__ == "__main__":
    main()
