"""The only wiring: from settings to a node with its use cases and services. Nothing is created at import."""

from bridge.compose.node import Node, open_node
from bridge.compose.offline import verify_message_file
from bridge.compose.running import ROLES, run_node

__all__ = ["ROLES", "Node", "open_node", "run_node", "verify_message_file"]
