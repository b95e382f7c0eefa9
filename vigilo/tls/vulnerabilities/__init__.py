"""Probes for known holes: what to say, and how to read the answer. Pure; the scanner asks. None takes anything away."""
