"""Certificates for the broker: the network's authority, requests for certificates, and a node's files of them."""
