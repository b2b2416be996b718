"""Writes docs/api.md from signatures and docstrings."""

import ast
from pathlib import Path

from pace import say, steps

SECONDS = 5


def main():
    parts = ["# API\n"]
    for path in steps(sorted(Path("shop").glob("*.py")), SECONDS):
        tree = ast.parse(path.read_text())
        functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
        parts.append(f"\n## {path.stem}\n\n{ast.get_docstring(tree) or ''}\n")
        for node in functions:
            says = (ast.get_docstring(node) or "").partition("\n")[0]
            parts.append(f"\n- `{node.name}({ast.unparse(node.args)})` {says}")
        say(f"{path}: {len(functions)} functions")
    Path("docs").mkdir(exist_ok=True)
    Path("docs/api.md").write_text("\n".join(line for line in "".join(parts).splitlines()) + "\n")
    say("docs/api.md is written")


if __name__ == "__main__":
    main()
