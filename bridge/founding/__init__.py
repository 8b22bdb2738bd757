"""Wiring for what comes before a node runs: `network` founds a network, `nodes` sets up nodes, `topology` the broker.

Everything works on folders of this machine. In this phase the network's ceremony keys lie in the network's folder; a
node set up here is enrolled there at once. Nothing that exists is ever written over.
"""
