"""Alert rules: pure functions of (rules, what is known of a host, clock), for the alerter and for previews.

Start reading at `lifecycle.py` (an alert's life), then `triggers/` (one question per file).
"""
