"""Triggers: one question per file, each a `QUESTION` (vigilo.alerting.view) that vigilo.alerting.threshold lists.

Each has `judge(trigger, view, at)`, three-valued; those that the clock alone can answer differently have `next_change`,
the next instant at which that happens. `meetings.py` is the table two of them share.
"""
