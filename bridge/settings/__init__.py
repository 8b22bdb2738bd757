"""A node's settings: one TOML file, environment variables above it, secrets in files beside it."""

from bridge.settings.broker import Account, BrokerSettings
from bridge.settings.contact_points import ContactPointSettings
from bridge.settings.loading import load_settings
from bridge.settings.node import NodeSettings

__all__ = ["Account", "BrokerSettings", "ContactPointSettings", "NodeSettings", "load_settings"]
