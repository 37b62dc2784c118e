"""Flask glue shared by all pages: fragments, errors, security, limits, JSON calls, the shell. Knows no feature."""
