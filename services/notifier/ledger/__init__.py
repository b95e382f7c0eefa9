"""The ledger in PostgreSQL: what must be sent, what was tried, what came of it. One concern per module.

Every function runs inside the caller's transaction. Who writes to a channel's deliveries holds the lock of the
channel's row; new rows alone are added without it.
"""
