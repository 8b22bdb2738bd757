"""A contact point's keys over time: which one signs, what follows on it, and what has to be signed anew."""
