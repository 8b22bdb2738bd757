"""One ciphertext that two keys open to two plaintexts, each with a tag that verifies: AES-GCM commits to no key.

The tag is linear in the ciphertext once both keys are fixed, so one free block makes the two tags equal (Grubbs, Lu and
Ristenpart, "Message Franking via Committing Authenticated Encryption", 2017; "invisible salamanders").
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
_POLYNOMIAL = 0xE1 << 120  # NIST SP 800-38D section 6.3, the leftmost bit first


@dataclass(frozen=True)
class TwoPlaintexts:
    """`ciphertext` and `tag` open under either key, each to its plaintext."""

    keys: tuple[bytes, bytes]
    plaintexts: tuple[bytes, bytes]
    iv: bytes
    ciphertext: bytes
    tag: bytes


def sealed_twice(plaintext_bytes: bytes, additional_bytes: bytes) -> TwoPlaintexts:
    """Opens to `plaintext_bytes` and a block of noise under the first key, to noise under the second."""
    keys, iv = (os.urandom(32), os.urandom(32)), os.urandom(12)
    padded = plaintext_bytes + b" " * (-len(plaintext_bytes) % BLOCK)
    ciphertext = _xor(padded, keys[0], iv)
    blocks = [*_blocks(additional_bytes), *_blocks(ciphertext)]
    free = len(blocks)  # one block more, behind all others
    lengths = (8 * len(additional_bytes)).to_bytes(8, "big") + (8 * (len(ciphertext) + BLOCK)).to_bytes(8, "big")
    blocks += [bytes(BLOCK), lengths]
    subkeys = [int.from_bytes(_encrypted(key, bytes(BLOCK)), "big") for key in keys]
    masks = [int.from_bytes(_encrypted(key, iv + b"\0\0\0\1"), "big") for key in keys]
    sums = [_hash(blocks, subkey) ^ mask for subkey, mask in zip(subkeys, masks, strict=True)]
    powers = [_power(subkey, len(blocks) - free) for subkey in subkeys]
    block = _times(sums[0] ^ sums[1], _power(powers[0] ^ powers[1], 2**128 - 2))
    tag = sums[0] ^ _times(block, powers[0])
    whole = ciphertext + block.to_bytes(BLOCK, "big")
    plaintexts = (_xor(whole, keys[0], iv), _xor(whole, keys[1], iv))
    return TwoPlaintexts(keys, plaintexts, iv, whole, tag.to_bytes(BLOCK, "big"))


def _blocks(data: bytes) -> list[bytes]:
    return [data[start : start + BLOCK].ljust(BLOCK, b"\0") for start in range(0, len(data), BLOCK)]


def _encrypted(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block, as GCM itself does
    return encryptor.update(block)


def _xor(data: bytes, key: bytes, iv: bytes) -> bytes:
    """Encrypts or decrypts with GCM's key stream."""
    return Cipher(algorithms.AES(key), modes.CTR(iv + b"\0\0\0\2")).encryptor().update(data)


def _hash(blocks: Sequence[bytes], subkey: int) -> int:
    value = 0
    for block in blocks:
        value = _times(value ^ int.from_bytes(block, "big"), subkey)
    return value


def _times(left: int, right: int) -> int:
    product = 0
    for bit in range(127, -1, -1):
        if left >> bit & 1:
            product ^= right
        right = right >> 1 ^ (_POLYNOMIAL if right & 1 else 0)
    return product


def _power(value: int, exponent: int) -> int:
    power = 1 << 127  # the field's one
    while exponent:
        if exponent & 1:
            power = _times(power, value)
        value = _times(value, value)
        exponent >>= 1
    return power
