"""`ncp-bridge` with the hooks of `chaos_hooks` installed: the product's own command line, nothing else."""

from __future__ import annotations

import chaos_hooks

from bridge.cli.main import run

if __name__ == "__main__":
    chaos_hooks.install()
    run()
