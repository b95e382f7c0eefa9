"""`vigilo scan` as a person runs it: no broker, no database, no server of ours."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from OpenSSL import SSL

from tests.fakes import pki, starttls_server
from tests.fakes.foreign_servers import tlslite_server
from tests.fakes.hostile_server import HostileServer, Say, Wait
from tests.fakes.starttls_server import StarttlsServer
from tests.fakes.tls_server import Serving, TlsServer
from vigilo.events.posture import Support
from vigilo.events.scans import Outcome, Snapshot

AUTHORITY = pki.Authority.create()


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
    with TlsServer(Serving(AUTHORITY.leaf("localhost"))) as server:
        done = vigilo(f"localhost:{server.port}", "--roots", roots)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "89 days left" in done.stdout
    assert "Chain valid (private roots)" in done.stdout
    assert "X25519MLKEM768" in done.stdout
    assert "\x1b" not in done.stdout


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
        assert (done.returncode, "Name does not match: localhost" in done.stdout) == (3, True)


def test_json_is_the_snapshot() -> None:
    with TlsServer(Serving(AUTHORITY.leaf("a.test"))) as server:
        done = vigilo(f"a.test:{server.port}", "--address", "127.0.0.1", "--sni", "B.test", "--json")
    snapshot = Snapshot.model_validate_json(done.stdout)
    assert done.returncode == 3
    assert (snapshot.outcome, snapshot.address, snapshot.target.sni) == (Outcome.OK, "127.0.0.1", "b.test")
    assert server.server_names == [b"b.test"]


def test_starttls_by_option_and_by_banner(roots: str) -> None:
    with StarttlsServer(Serving(AUTHORITY.leaf("localhost")), dialogue=starttls_server.IMAP) as server:
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


def test_ssl3_only_is_shown_although_no_handshake_succeeds(roots: str) -> None:
    leaf = AUTHORITY.leaf("localhost", options=pki.Options(key=pki.rsa_key()))
    with tlslite_server(leaf, ciphers=("rc4",), key_exchanges=("rsa",), newest=(3, 0)) as port:
        done = vigilo(f"127.0.0.1:{port}", "--sni", "localhost", "--roots", roots, "--full")
    assert done.returncode == 1
    assert "Scan failed" in done.stdout
    assert "SSLv3    yes, 2 suites" in done.stdout
    assert "TLSv1.2  no" in done.stdout
