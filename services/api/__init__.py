"""api: what people ask for and what they see.

Consumes: REST commands and queries; for the read model snapshots, report-cards, certificate-changes, alerts,
    deliveries (services/api/projector)
Produces: hosts, host-commands, alert-rules, channels, delivery-commands, workspace-settings, through the outbox
State:    PostgreSQL schemas config (backed up) and read_model (dropped and replayed at will)
Effects:  HTTP on one port
Start reading at: app.py, then commands/hosts.py (decides) and routes/hosts.py (gathers and applies)
"""
