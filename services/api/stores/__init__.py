"""Rows of schema config to records and back; every statement runs inside a transaction of one workspace."""
