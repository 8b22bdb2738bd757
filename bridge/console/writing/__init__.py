"""Forms in which alerts are written: their fields, from what was typed to a document and back, and faults in words."""
