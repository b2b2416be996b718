"""Write all generated files: `python -m tests.tools`."""

from pex_tui.planning.fields.schema import plan_schema
from tests.tools import agent_documents, event_documents, settings_documents
from tests.tools.schema_text import schema_text

PLAN = settings_documents.ROOT / "config" / "schema" / "plan.json"


def main() -> None:
    """Write the files."""
    texts = settings_documents.documents() | event_documents.documents()
    texts |= agent_documents.documents()
    texts[PLAN] = schema_text(plan_schema())
    for path, text in texts.items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
