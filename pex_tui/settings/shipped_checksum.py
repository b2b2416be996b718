"""Checksum of the generated config/pex.yaml; while it matches, the file is not parsed."""

SHIPPED_CHECKSUM = 2893389624
