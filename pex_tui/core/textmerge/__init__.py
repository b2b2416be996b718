"""Texts with three sides: lines matched, merged, resolved by rule or memory."""
