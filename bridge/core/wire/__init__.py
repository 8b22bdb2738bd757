"""The wire format, byte for byte: strict JSON, base64url, envelope, payload, sealed body."""
