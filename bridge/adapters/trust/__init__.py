"""The trust repository: nodes read it through `TufTrustSource`, the secretariat signs it through `TufRepository`."""

from bridge.adapters.trust.reading import read_repository
from bridge.adapters.trust.repository import TufRepository
from bridge.adapters.trust.source import TufTrustSource

__all__ = ["TufRepository", "TufTrustSource", "read_repository"]
