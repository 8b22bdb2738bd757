"""The map of a route and of a region's corridors: drawn here as SVG text, without a server of tiles and without a script.

Pure functions over data that `scripts/map.py` makes (docs/console-map.md): nothing here knows of pages or requests.
"""
