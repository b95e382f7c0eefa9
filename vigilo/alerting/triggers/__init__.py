"""Triggers: one question per file.

Each file has `judge(trigger, known, at)`, three-valued, and `next_change(trigger, known, at)`: the next instant at
which the answer changes by time alone, None if only a scan can change it. `known` None = no report card yet.
"""
