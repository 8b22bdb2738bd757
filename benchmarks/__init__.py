"""What the bridge costs, as ratios to doing the same with the bare libraries. See docs/benchmarks.md."""
