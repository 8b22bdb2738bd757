"""Private keys on a PKCS#11 token: a smart card, a network's HSM, or SoftHSM2 in the tests (extra `hsm`).

`token.py` is signed in to one token, `pins.py` guards its PIN, `keys.py` has a contact point's keys on it, `signer.py`
a key of governance or of the revocation role.
"""
