"""Tells people: one delivery per (transition, channel), in order, until it is received or given up.

Consumes: alerts, channels, delivery-commands
Produces: deliveries
State: the ledger, PostgreSQL schema `notifier`
Effects: HTTP requests and mails to the receivers people configured
Start reading at: planning.py (what leaves, waits or is skipped), settling.py (what an answer changes), then ledger/
"""
