"""pex-tui runs a team of agents on one repository, side by side and safely."""
