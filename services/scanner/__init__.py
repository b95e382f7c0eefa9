"""Looks at hosts over the network and says what was seen: every scan ends in exactly one snapshot.

Consumes: scan-requested-now, scan-requested (of its pool; the fast lane first)
Produces: snapshots, dead-letters
State: none outside the process; inside it the last 200 outcomes, to notice a lost network (pool_health.py)
Effects: DNS, TCP, TLS: the only service that connects to monitored hosts, by the egress policy
Start reading at: scan.py (one scan, step by step), then probing.py (what was seen -> snapshot)
"""
