"""The audit log: every change has a name and a time on it that nobody can quietly alter.

change.py says what changed, chain.py links entries by their hashes, writing.py puts them into the change's transaction.
"""
