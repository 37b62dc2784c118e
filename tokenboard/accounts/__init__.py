"""People: passwords, sign-in, sessions, API tokens. Knows nothing of workspaces."""
