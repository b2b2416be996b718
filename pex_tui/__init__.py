"""Run several agents in parallel on one git repository."""
