"""Projector: makes the read model out of the topics.

Consumes: snapshots, report-cards, certificate-changes, alerts, deliveries, work-items.
Produces: dead-letters.
State: schema `read_model` in PostgreSQL, offsets included; a function of the topics alone.
Effects: none outside Kafka and PostgreSQL.
Start reading at: app.py (wiring), run.py (the loop), admission.py and projections.py (what an event means; pure).
"""
