"""The web pages of a node, for duty officers, approvers, operators, auditors and administrators.

`app.py` puts them together, `access.py` says who may open what, `guard/` keeps everybody else out, `pages/` has
one file a page, `language/` the words, `map/` the drawing. It knows use cases and ports, and no adapter.
"""
