"""A network to play with on one machine: scripted counterparts, a private broker, a place for whoever tries."""
