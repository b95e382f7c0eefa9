"""The shared language of Vigilo. Knows no service.

Arrows go one way: events <- tls <- grading, alerting <- ports <- adapters.
"""
