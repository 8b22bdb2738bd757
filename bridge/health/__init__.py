"""How a running node is, over HTTP: `/livez` and `/readyz`, on a socket in the node's folder and, if wanted, on TCP."""
