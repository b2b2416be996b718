"""Adds a log line to every public function of a module: add_logging.py shop/checkout.py."""

import ast
import sys
from pathlib import Path

from pace import say, steps

SECONDS = 5
LOGGER = "LOG = logging.getLogger(__name__)\n"


def main(name):
    path = Path(name)
    lines = path.read_text().splitlines(keepends=True)
    tree = ast.parse("".join(lines))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    for node in steps(sorted(functions, key=lambda node: -node.lineno), SECONDS):
        place = node.body[1 if ast.get_docstring(node) else 0].lineno - 1
        if "LOG." not in lines[place]:
            lines.insert(place, f'    LOG.info("{node.name} begins")\n')
            say(f"{path}:{node.lineno} {node.name} is logged now")
    if LOGGER not in lines:
        imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        lines.insert(imports[-1].end_lineno, "\n" + LOGGER)
        lines.insert(imports[0].lineno - 1, "import logging\n\n")
    text = "".join(lines)
    ast.parse(text)
    path.write_text(text)
    say(f"{path} is written")


if __name__ == "__main__":
    main(sys.argv[1])
