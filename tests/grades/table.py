"""The table: every server configuration with the letters that the sources demand.

In the arguments `design` is what Vigilo set out to do (F for trust, name, RSA below 2048 and TLS 1.1 at most; C beside
newer; A+ needs a hybrid group), `survey` the reading of RFCs and root programs that came before the rules, `2009e` to
`2009r` are versions of SSL Labs' Server Rating Guide and `BR` is the CA/Browser Forum's Baseline Requirements.
Nothing here was taken from what the rules say; where they differ, the row stands in PENDING until one of them gives in.
"""

from __future__ import annotations

from tests.grades import certificate_rows, server_rows, suite_rows
from tests.grades.rows import Row

ROWS: tuple[Row, ...] = (*certificate_rows.ROWS, *server_rows.ROWS, *suite_rows.ROWS)
