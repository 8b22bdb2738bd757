"""One file per migration, named `<revision>_<what>.py`."""
