"""Browser tests: the real processes, a real Chromium. Run by `./run e2e`."""
