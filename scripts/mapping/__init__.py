"""The steps of `scripts/map.py`: from the published atlas to the files that the map is drawn from."""
