"""Long-running services. Each is `run(stop)`: works until `stop` is set, finishes what it has begun, and returns."""
