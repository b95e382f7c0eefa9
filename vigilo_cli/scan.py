"""`vigilo scan`: one look at one host from here, without any server."""

from __future__ import annotations

import asyncio
import base64
import binascii
import sys
import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn
from uuid import UUID

import typer

from services.scanner.resolve import SystemResolver
from services.scanner.scan import scan_target
from services.scanner.tools import Tools
from vigilo.adapters.egress import ScanEgress, parse_networks
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo.events.cards import FindingLevel, ReportCard, Verdict
from vigilo.events.hostnames import InvalidHostname, normalise_hostname
from vigilo.events.hosts import Protocol, Target
from vigilo.events.ids import new_id
from vigilo.events.scans import Depth, Lane, Outcome, ScanReason, ScanRequested, Snapshot
from vigilo.grading.card import grade_snapshot
from vigilo.grading.rulebook import RULEBOOKS, VIGILO_2026, Rulebook, UnknownRulebook, rulebook
from vigilo.grading.trust.judge import TrustJudge
from vigilo.grading.trust.stores import TrustStores, anchors_from_pem
from vigilo.tls.addresses import parse_address
from vigilo.tls.endpoint import HTTPS_PORT, Endpoint, InvalidEndpoint, parse_endpoint
from vigilo.tls.starttls.protocols import PORTS
from vigilo_cli.progress import progress

# With --starttls and without a port: the protocol's own, the one for clients where there are two.
_PORTS = {
    Protocol.SMTP: 587,
    Protocol.XMPP: 5222,
    Protocol.LDAP: 389,
    **{protocol: port for port, protocol in PORTS.items() if list(PORTS.values()).count(protocol) == 1},
}
OK, SCAN_FAILED, USAGE, PROBLEMS, INTERRUPTED = 0, 1, 2, 3, 130

app = typer.Typer(pretty_exceptions_enable=False)


@app.command()
def scan(  # noqa: PLR0913, PLR0917 (a command's options are its parameters)
    host: Annotated[
        str,
        typer.Argument(
            metavar="HOST[:PORT]", help="A host name or IP address; by default port 443, or that of --starttls."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print the snapshot as JSON, schema snapshot.v1.")] = False,
    full: Annotated[
        bool,
        typer.Option(
            "--full/--light",
            help="Find out every version, cipher suite and group the server accepts, or only shake hands.",
        ),
    ] = True,
    address: Annotated[str | None, typer.Option(metavar="IP", help="Connect there instead of asking DNS.")] = None,
    sni: Annotated[str | None, typer.Option(metavar="NAME", help="Ask the server for this name.")] = None,
    starttls: Annotated[
        Protocol | None,
        typer.Option(
            metavar="PROTO",
            help="What is spoken before TLS: smtp, imap, pop3, ldap, ftp, xmpp, postgresql, mysql; tls for nothing, "
            "auto (the default) to go by the port and the server's first bytes.",
        ),
    ] = None,
    roots: Annotated[
        Path | None, typer.Option(metavar="PEM", help="Also trust these certificates, as a private CA.")
    ] = None,
    book: Annotated[
        str, typer.Option("--rulebook", metavar="NAME", help=f"The rulebook to judge by: {', '.join(RULEBOOKS)}.")
    ] = VIGILO_2026.name,
) -> None:
    """Look at one TLS host and say what it shows.

    Exit status: 0 all well, 1 the scan failed, 2 wrong usage, 3 scanned and problems found (a chain that is not valid,
    a name that does not match, a weak key or protocol: every finding marked FAIL). Interrupted: 130.
    """
    target = _target(host, address=address, sni=sni, protocol=starttls or Protocol.AUTO)
    judge, rules = TrustJudge(stores(roots)), _rulebook(book)
    snapshot = _scanned(target, Depth.FULL if full else Depth.LIGHT)
    card = grade_snapshot(snapshot, _chain_der(snapshot), judge=judge, at=snapshot.finished_at, rulebook=rules)
    if as_json:
        print(snapshot.model_dump_json(exclude_none=True, indent=2, ensure_ascii=True))
    else:
        from vigilo_cli.report import print_report

        print_report(snapshot, card)
    sys.exit(exit_status(snapshot, card))


def exit_status(snapshot: Snapshot, card: ReportCard) -> int:
    """What the command ends with."""
    if snapshot.outcome is not Outcome.OK:
        return SCAN_FAILED
    failures = any(finding.level is FindingLevel.FAILURE for finding in card.findings)
    return PROBLEMS if failures or Verdict.NO in {card.chain_valid, card.name_matches} else OK


def _target(host: str, *, address: str | None, sni: str | None, protocol: Protocol) -> Target:
    endpoint = _endpoint(host, default_port=_PORTS.get(protocol, HTTPS_PORT))
    nobody = UUID(int=0)
    return Target(
        workspace_id=nobody,
        host_id=nobody,
        host_version=1,
        hostname=endpoint.hostname,
        port=endpoint.port,
        address=None if address is None else _address(address),
        sni=None if sni is None else _name(sni),
        protocol=protocol,
    )


def _endpoint(text: str, *, default_port: int) -> Endpoint:
    try:
        return parse_endpoint(text, default_port=default_port)
    except InvalidEndpoint as error:
        _wrong_usage("HOST", error)


def _address(text: str) -> str:
    try:
        return str(parse_address(text))
    except ValueError as error:
        _wrong_usage("--address", error)


def _name(text: str) -> str:
    try:
        return normalise_hostname(text)
    except InvalidHostname as error:
        _wrong_usage("--sni", error)


def _rulebook(name: str) -> Rulebook:
    try:
        return rulebook(name)
    except UnknownRulebook as error:
        _wrong_usage("--rulebook", error)


def stores(roots: Path | None = None) -> TrustStores:
    """The public anchors with what distrusts some of them, as the grader has them, and those of the file."""
    ours = load_trust_stores()
    if roots is None:
        return ours
    try:
        return replace(ours, private=anchors_from_pem(roots.read_bytes(), version=f"file-{roots.name}"))
    except (OSError, ValueError) as error:
        _wrong_usage("--roots", error)


def _wrong_usage(what: str, error: Exception) -> NoReturn:
    raise typer.BadParameter(str(error), param_hint=what) from error


def _scanned(target: Target, depth: Depth) -> Snapshot:
    # What is odd about a certificate is in its facts; a library's remarks about it are no output of ours.
    warnings.simplefilter("ignore")
    try:
        return asyncio.run(_scan(target, depth))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


async def _scan(target: Target, depth: Depth) -> Snapshot:
    now = datetime.now(UTC)
    request = ScanRequested(
        scan_id=new_id(),
        target=target,
        depth=depth,
        reason=ScanReason.COMMAND,
        lane=Lane.NOW,
        requested_at=now,
        not_after=now + timedelta(minutes=1),
    )
    resolver = SystemResolver(threads=1)
    # Whoever can type this command can connect from here anyway; metadata services stay denied all the same.
    tools = Tools(resolver=resolver, egress=ScanEgress(parse_networks(["0.0.0.0/0", "::/0"])), name="vigilo scan")
    where = str(Endpoint(target.hostname, target.port))
    try:
        async with progress(where, connections=lambda: tools.connections, full=depth is Depth.FULL):
            return await scan_target(request, tools)
    finally:
        resolver.close()
        await tools.close()


def _chain_der(snapshot: Snapshot) -> tuple[bytes, ...] | None:
    if snapshot.chain_der is None:
        return None
    try:
        return tuple(base64.b64decode(one, validate=True) for one in snapshot.chain_der)
    except binascii.Error:
        return None
