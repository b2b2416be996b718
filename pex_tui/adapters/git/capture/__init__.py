"""Capture an attempt's work: as commits under refs, or as files set aside."""
