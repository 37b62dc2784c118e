"""Double-entry credits: what a wallet has, what paid for what. Knows nothing of people, pages or payment providers."""
