"""Wiring for what comes before a node runs: a network and its changes, nodes and their requests, the broker.

`network` founds, `proposing` and `revoking` make changes, `ceremony` has them signed and published; `joining` and
`nodes` set up nodes, `certificates` and `topology` the broker. Everything works on folders and files of this machine.
Nothing that exists is ever written over.
"""
