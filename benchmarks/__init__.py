"""What the bridge costs, as ratios to doing the same with the bare libraries in the same run. See docs/benchmarks.md."""
