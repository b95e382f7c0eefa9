"""Tells people: one delivery per (transition, channel), in order, until it is received or given up.

Consumes: alerts, channels, delivery-commands
Produces: deliveries
State: the ledger, PostgreSQL schema `notifier`
Effects: HTTP requests to the receivers people configured
Start reading at: delivery.py (what to send, and what an answer means), then ledger.py
"""
