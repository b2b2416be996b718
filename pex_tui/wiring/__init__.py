"""The one place that knows every class: puts adapters, engine and hosts together."""
