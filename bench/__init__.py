"""Measurements: ours beside a stated limit, interleaved in one run, as ratios. `./run bench --help`."""
