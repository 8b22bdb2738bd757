"""NCP Bridge carries signed, sealed route alerts between national contact points."""
