"""A known hole that was seen open is an F."""

from datetime import date

from vigilo.grading.rule import Rule
from vigilo.grading.rules.house import vulnerabilities

RULE = Rule(
    id="ssllabs.vulnerabilities",
    title="Known vulnerabilities",
    citation="SSL Labs report text; Qualys CertView help",
    effective=date(2018, 2, 1),
    check=vulnerabilities.check,
    fix=vulnerabilities.RULE.fix,
)
