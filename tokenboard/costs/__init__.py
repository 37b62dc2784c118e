"""What providers charge: connections, sync runs, cost and usage days, revisions, budgets, forecast."""
