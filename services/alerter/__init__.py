"""Opens and closes alerts: rules judged on every report card, edit and instant at which time alone decides.

Consumes: hosts, report-cards, certificate-changes, host-commands, alerter-wakeups;
  alert-rules and snoozes whole, in every worker
Produces: alerts, alerter-wakeups
State: `alerts` (counts and open alerts by rule), `facts` (the host record, what is known of its certificate)
Effects: none outside Kafka
Start reading at: ../../vigilo/alerting/lifecycle.py, then judging.py, then decide.py
"""
