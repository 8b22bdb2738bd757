"""Migrates one database and ends: a process to be killed. usage: chaos_migrating.py URL"""

from __future__ import annotations

import asyncio
import sys

import chaos_hooks

from bridge.adapters.store.schema import migrate

if __name__ == "__main__":
    chaos_hooks.install()
    asyncio.run(migrate(sys.argv[1]))
