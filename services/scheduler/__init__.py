"""Asks for scans: the first at once, then one in every slot, now when a person asks; says when nobody performed one.

Consumes: hosts, host-commands, snapshots, scheduler-wakeups, workspace-settings (the whole topic in every worker)
Produces: scan-requested, scan-requested-now (a pair per pool), snapshots (`not-performed` only), scheduler-wakeups
State: `schedules` (slots, the scans asked for, what waits), `hosts` (the last host record, the baseline, deep scans)
Effects: none outside Kafka
Start reading at: planning.py (which slot is it), depth.py (how deep), then decide.py
"""
