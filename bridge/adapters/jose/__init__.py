"""Signatures, sealing and key files: strict JOSE over `cryptography`."""
