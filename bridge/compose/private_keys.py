"""Where a contact point's private keys are: in files, or on a token (extra `hsm`)."""

from __future__ import annotations

from bridge.adapters.jose.key_files import FileKeys
from bridge.adapters.token import keys_on_token
from bridge.app.keys.two_places import KeysInTwoPlaces
from bridge.ports.keys import KeyStore
from bridge.settings import ContactPointSettings, NodeSettings


def keys_of(settings: NodeSettings, point: ContactPointSettings, *, machine_secret: bytes) -> KeyStore:
    """The contact point's keys. With a token, new ones are made there, and those still in files stay in use.

    A token is reached for when a key is needed; meanwhile it may come and go.

    Raises:
        UnavailableError: the extra `hsm` is not installed (`E_TOKEN`).
    """
    files = FileKeys(settings.path(point.keys), point.id, machine_secret=machine_secret)
    if point.token is None:
        return files
    module, pin_file = settings.path(point.token.module), settings.path(point.token.pin_file)
    token = keys_on_token(point.id, module=module, label=point.token.label, pin_file=pin_file)
    return KeysInTwoPlaces(new=token, old=files)
