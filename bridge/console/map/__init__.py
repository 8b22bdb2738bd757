"""The map of a route and of a region's corridors: drawn here as SVG text, with no server of tiles and no script.

Pure functions over data that `scripts/map.py` makes (docs/console-map.md): nothing here knows of pages or requests.
"""
