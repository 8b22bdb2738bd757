"""The command `ncp-bridge`: one file per command group."""
