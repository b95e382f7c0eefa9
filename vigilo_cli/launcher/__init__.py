"""`vigilo up`: a real broker, a real database and every service on one machine.

Start reading at `up.py`. The local servers (`kafka.py`, `database.py`) are also what the tests run on.
"""
