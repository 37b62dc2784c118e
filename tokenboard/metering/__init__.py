"""What a call may cost, holds and has cost: prices, usage records, roll-ups, caps. Knows nothing of conversations."""
