"""Questions to the read model, one SQL statement each; names and tags of hosts are joined when somebody asks.

Connections are those of a tenant transaction (services/api/reading.py): row-level security decides which rows exist.
"""
