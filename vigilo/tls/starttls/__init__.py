"""TLS after a dialogue (STARTTLS and its kin). Pure: bytes in, bytes out.

Start reading at dialogue.py, then protocols.py; each protocol is a file of its own.
"""
