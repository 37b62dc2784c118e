"""Who did what, append-only; and alerts that tasks raise for the operator."""
