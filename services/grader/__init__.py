"""Gives every snapshot exactly one report card and notices when a certificate changes.

Consumes: snapshots, workspace-settings (the whole topic in every worker)
Produces: report-cards, certificate-changes
State: `grades` (last applied scan, seen scan ids, own leaf, peer), `chains` (the certificates last seen at a host)
Effects: none outside Kafka
Start reading at: decide.py
"""
