"""The house's own laws: the one command, and what no room may do."""
