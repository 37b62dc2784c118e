"""One file a suite; each has `measure(quick: bool) -> list[Result]`."""
