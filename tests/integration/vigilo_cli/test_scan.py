"""`vigilo scan` as a person runs it: no broker, no database, no server of ours."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from OpenSSL import SSL

from tests.fakes import pki, starttls_server
from tests.fakes.foreign_servers import tlslite_server
from tests.fakes.hostile_server import HostileServer, Say, Wait
from tests.fakes.starttls_server import StarttlsServer
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome, Snapshot

AUTHORITY = pki.Authority.create()
SCHEMAS = Path(__file__).parents[3] / "schemas"


def vigilo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("VIGILO_")}
    command = [sys.executable, "-m", "vigilo_cli.main", "scan", *arguments]
    return subprocess.run(
        command, env={**inherited, **environment}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture
def roots(tmp_path: Path) -> str:
    path = tmp_path / "roots.pem"
    path.write_bytes(AUTHORITY.root.pem)
    return str(path)


def test_a_healthy_host_of_a_private_ca(roots: str) -> None:
    with TlsServer(Serving(AUTHORITY.leaf("localhost"), oldest=SSL.TLS1_2_VERSION)) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "89 days left" in done.stdout
    assert "trusted: chain valid (private roots)" in done.stdout
    assert "X25519MLKEM768" in done.stdout
    assert "\x1b" not in done.stdout


def test_another_rulebook_judges_by_its_own_rules(roots: str) -> None:
    with TlsServer(Serving(AUTHORITY.leaf("localhost"), oldest=SSL.TLS1_2_VERSION)) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots, "--rulebook", "ssllabs-compatible-2009r")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ssllabs-compatible-2009r" in done.stdout
    assert "Category scores" in done.stdout


def test_problems_have_a_status_of_their_own(roots: str) -> None:
    old = Serving(AUTHORITY.leaf("localhost"), newest=SSL.TLS1_VERSION)
    expired = Serving(pki.expiring("localhost", in_=timedelta(days=-4), issuer=AUTHORITY.intermediate))
    with TlsServer(old) as server:
        assert vigilo(f"localhost:{server.port}", "--roots", roots).returncode == 3
        server.serving = expired
        done = vigilo(f"localhost:{server.port}", "--roots", roots)
        assert (done.returncode, "expired 4 days ago" in done.stdout) == (3, True)
        server.serving = Serving(AUTHORITY.leaf("elsewhere.test"))
        done = vigilo(f"localhost:{server.port}", "--roots", roots)
        assert (
            done.returncode,
            "name does not match: localhost; the certificate has elsewhere.test" in done.stdout,
        ) == (3, True)


def test_json_is_the_snapshot() -> None:
    with TlsServer(Serving(AUTHORITY.leaf("a.test"))) as server:
        done = vigilo(f"a.test:{server.port}", "--address", "127.0.0.1", "--sni", "B.test", "--json")
    snapshot = Snapshot.model_validate_json(done.stdout)
    schema = json.loads((SCHEMAS / "events" / "snapshot.v1.schema.json").read_text())
    Draft202012Validator(schema).validate(json.loads(done.stdout))
    assert done.returncode == 3
    assert (snapshot.outcome, snapshot.address, snapshot.target.sni) == (Outcome.OK, "127.0.0.1", "b.test")
    assert set(server.server_names) == {b"b.test", None}  # full scans ask without a name, too


def test_starttls_by_option_and_by_banner(roots: str) -> None:
    serving = Serving(AUTHORITY.leaf("localhost"), oldest=SSL.TLS1_2_VERSION)
    with StarttlsServer(serving, dialogue=starttls_server.IMAP) as server:
        for arguments in (["--starttls", "imap"], []):
            done = vigilo(f"localhost:{server.port}", "--roots", roots, *arguments)
            assert (done.returncode, "STARTTLS (IMAP)" in done.stdout) == (0, True), done.stdout + done.stderr


def test_a_failed_scan_says_why_and_ends_with_1() -> None:
    with HostileServer([Say(b"SSH-2.0-OpenSSH_9.2\r\n"), Wait()]) as server:
        done = vigilo(f"127.0.0.1:{server.port}")
    assert done.returncode == 1
    assert "not TLS but SSH: SSH-2.0-OpenSSH_9.2" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["https://a.test"],
        ["a.test", "--starttls", "gopher"],
        ["a.test:0"],
        ["a b"],
        ["a.test", "--address", "b.test"],
        ["a.test", "--sni", "*"],
        ["a", "--roots", "/no/such/file"],
        ["a", "--rulebook", "ssllabs"],
        [],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    done = vigilo(*arguments)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_poor_terminal_gets_escapes_not_a_traceback() -> None:
    with TlsServer(Serving(pki.issue(pki.Options(common_name="bücher", names=("a.test",))))) as server:
        done = vigilo(f"127.0.0.1:{server.port}", PYTHONIOENCODING="ascii")
    assert done.returncode == 3
    assert "b\\xfccher" in done.stdout


def test_a_full_scan_lists_versions_suites_and_groups(roots: str) -> None:
    serving = Serving(AUTHORITY.leaf("localhost"), oldest=SSL.TLS1_2_VERSION, ciphers=b"ECDHE-ECDSA-AES256-GCM-SHA384")
    with TlsServer(serving) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots, "--full")
        as_json = vigilo(f"localhost:{server.port}", "--roots", roots, "--full", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "TLSv1.2  yes, one suite" in done.stdout
    assert "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" in done.stdout
    assert "TLSv1.0  no" in done.stdout
    assert "X25519MLKEM768, " in done.stdout
    posture = Snapshot.model_validate_json(as_json.stdout).posture
    assert posture is not None
    assert posture.supporting(Support.ACCEPTED) == ("TLSv1.2", "TLSv1.3")


def test_ssl3_only_is_shown_although_our_library_refuses_it(roots: str) -> None:
    leaf = AUTHORITY.leaf("localhost", options=pki.Options(key=pki.rsa_key()))
    with tlslite_server(leaf, ciphers=("rc4",), key_exchanges=("rsa",), newest=(3, 0)) as port:
        done = vigilo(f"127.0.0.1:{port}", "--sni", "localhost", "--roots", roots, "--full")
    assert done.returncode in {1, 3}  # no handshake was finished, or our own reader has read the chain
    assert "FAIL  SSLv3    yes, 2 suites" in done.stdout
    assert "TLSv1.2  no" in done.stdout


def on_a_terminal(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """The command with a terminal for standard error, and for standard output, too; status, output, both ends."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(("VIGILO_", "NO_COLOR"))}
    command = [sys.executable, "-m", "vigilo_cli.main", "scan", *arguments]
    out, theirs_out = pty.openpty()
    err, theirs_err = pty.openpty()
    process = subprocess.Popen(
        command, env={**inherited, "TERM": "xterm-256color", **environment}, stdout=theirs_out, stderr=theirs_err
    )
    os.close(theirs_out)
    os.close(theirs_err)
    read: dict[int, bytes] = {out: b"", err: b""}
    while read and (open_ends := [end for end in read if end >= 0]):
        ready, _, _ = select.select(open_ends, [], [], 30)
        assert ready, "nothing was said for 30 s"
        for end in ready:
            try:
                data = os.read(end, 65536)
            except OSError:  # the other end was closed
                data = b""
            read[end] += data
            if not data:
                status = process.wait(30)
                for other in read:
                    os.close(other)
                return status, read[out].decode(), read[err].decode()
    raise AssertionError("no terminal")


def test_a_terminal_gets_colours_and_progress(roots: str) -> None:
    with TlsServer(Serving(AUTHORITY.leaf("localhost"), oldest=SSL.TLS1_2_VERSION)) as server:
        status, page, progress = on_a_terminal(f"localhost:{server.port}", "--roots", roots)
        _, plain, _ = on_a_terminal(f"localhost:{server.port}", "--roots", roots, NO_COLOR="1")
    assert status == 0
    assert "\x1b[32m89 days left" in page
    assert f"localhost:{server.port}: " in progress
    assert "89 days left" in plain
    assert "\x1b[32m" not in plain


def test_light_shakes_hands_only(roots: str) -> None:
    with TlsServer(Serving(AUTHORITY.leaf("localhost"))) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots, "--light", "--json")
    snapshot = Snapshot.model_validate_json(done.stdout)
    assert (done.returncode, snapshot.posture, server.accepted <= 3) == (0, None, True)


def test_a_client_certificate_is_told(roots: str) -> None:
    with TlsServer(Serving(AUTHORITY.leaf("localhost"), demand_client_certificate=True)) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots, "--light")
    assert (done.returncode, "note  client certificate " in done.stdout) == (0, True), done.stdout
