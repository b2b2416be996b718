"""Text in a scroller: logs, files, the sides of a conflict."""
