"""Asks for scans: the first at once, then one in every slot, now when a person asks, again when an alert must be sure.

Says when nobody performed one.

Consumes: hosts, host-commands, snapshots, alerts, scheduler-wakeups, workspace-settings (whole, in every worker)
Produces: scan-requested, scan-requested-now (a pair per pool), snapshots (`not-performed` only), scheduler-wakeups
State: `schedules` (slots, scans asked for, what waits, alerts to confirm), `hosts` (last record, baseline, deep scans)
Effects: none outside Kafka
Start reading at: planning.py (which slot is it), depth.py (how deep), then decide.py
"""
