"""Report cards: pure functions of (snapshot, chain, trust stores, rulebook, clock).

Start reading at `card.py`; one rule per file under `rules/<authority>/`.
"""
