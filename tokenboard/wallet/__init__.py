"""A workspace's wallet: what it has, what was used, who is told when it runs low, what administrators give."""
