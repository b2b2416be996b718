"""Outlines of repositories for the goals of these tests."""

from pex_tui.planning.goals.outline import RepositoryOutline
from pex_tui.planning.goals.tools import find_tools

PYPROJECT = """\
[project]
name = "shop"
[tool.pytest.ini_options]
testpaths = ["tests"]
[tool.ruff]
line-length = 100
[tool.mypy]
strict = true
"""
PACKAGE = '{"scripts": {"test": "jest", "lint": "eslint .", "build": "tsc"}}'


def outline(files: str, texts: dict[str, str] | None = None) -> RepositoryOutline:
    """Return an outline of these files, and of these files with their text."""
    known = texts or {}
    paths = tuple(sorted({*files.split(), *known}))
    return RepositoryOutline(files=paths, tools=find_tools(paths, known))


OUTLINES = {
    "empty": outline("README.md"),
    "python": outline(
        "README.md CHANGELOG.md src/shop/__init__.py src/shop/orders.py src/shop/stock.py "
        "src/shop/money.py src/shop/reports.py src/shop/invoices.py tests/test_orders.py "
        "tests/test_money.py .github/workflows/ci.yml",
        {"pyproject.toml": PYPROJECT},
    ),
    "node": outline(
        "README.md CHANGELOG.md src/cart.js src/a.js src/b.js src/c.js test/cart.test.js",
        {"package.json": PACKAGE},
    ),
    "web": outline(
        "README.md src/App.tsx src/Checkout.tsx playwright.config.ts e2e/shop.spec.ts",
        {"package.json": PACKAGE},
    ),
    "obsidian": outline("README.md manifest.json versions.json main.ts", {"package.json": PACKAGE}),
    "go": outline("go.mod cmd/shop/main.go internal/index/index.go internal/index/index_test.go"),
    "rust": outline("Cargo.toml src/main.rs src/parser.rs tests/parse.rs benches/parse.rs"),
    "sql": outline(
        "alembic.ini migrations/001_users.sql migrations/002_orders.sql app/db.py tests/test_db.py"
    ),
    "docs": outline("mkdocs.yml docs/index.md docs/install.md docs/usage.md docs/faq.md"),
    "monorepo": outline(
        "README.md services/api/main.py services/billing/main.py services/mail/main.py "
        "web/package.json web/src/App.tsx Makefile",
        {"pyproject.toml": PYPROJECT},
    ),
}
