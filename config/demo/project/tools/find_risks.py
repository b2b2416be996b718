"""Lists risky calls in the package: reports/risks.md."""

import ast
from pathlib import Path

from pace import say, steps

SECONDS = 5
RISKY = {
    "eval": "runs whatever the text says",
    "exec": "runs whatever the text says",
    "pickle.load": "runs code of whoever wrote the file",
    "subprocess.run": "with shell=True, joins text into a command line",
}


def called(node):
    function = node.func
    if isinstance(function, ast.Name):
        return function.id
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return ""


def main():
    rows = []
    for path in steps(sorted(Path("shop").glob("*.py")), SECONDS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in RISKY:
                rows.append(f"- `{path}:{node.lineno}` {called(node)}: {RISKY[called(node)]}")
                say(rows[-1])
    report = Path("reports/risks.md")
    report.parent.mkdir(exist_ok=True)
    report.write_text("# Risky calls\n\n" + "\n".join(rows) + "\n")
    say(f"{len(rows)} findings in {report}")


if __name__ == "__main__":
    main()
