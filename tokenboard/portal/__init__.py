"""What spans rooms: landing, sign-up, onboarding, dashboard, settings, /api/me and /api/summary."""
