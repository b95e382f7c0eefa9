"""What sslyze says of a server. It is run as a program, from an environment of its own, and nowhere imported."""

from __future__ import annotations

import fcntl
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.relay import Relay
from tests.peers.facts import SNI, VERSIONS, Account, Words, accepted, word
from vigilo.events.hosts import Protocol

NAME = "sslyze"
VERSION = "6.3.1"
_FOLDER = Path.home() / ".cache" / "vigilo-tests" / f"sslyze-{VERSION}"
_INSTALL_SECONDS, _SCAN_SECONDS = 120, 120
_SCOPE = [f"--{name}" for name in ("sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3")]
_SCOPE += ["--elliptic_curves", "--compression", "--reneg", "--fallback", "--ems", "--mozilla_config", "disable"]
_STARTTLS = {
    Protocol.SMTP: "smtp",
    Protocol.IMAP: "imap",
    Protocol.POP3: "pop3",
    Protocol.LDAP: "ldap",
    Protocol.XMPP: "xmpp",
    Protocol.POSTGRESQL: "postgres",
}
_RESULTS = dict(zip(VERSIONS, ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3"), strict=True))
_BEST = dict(zip(("SSL_2_0", "SSL_3_0", "TLS_1_0", "TLS_1_1", "TLS_1_2", "TLS_1_3"), VERSIONS, strict=True))
# OpenSSL's names where they are not the registry's.
_GROUPS = {"X25519": "x25519", "X448": "x448", "prime256v1": "secp256r1", "prime192v1": "secp192r1"}


def program() -> Path:
    """Where sslyze is. Skips the test, with the reason, where it cannot be had."""
    uv = shutil.which("uv", path=Path(sys.executable).parent) or shutil.which("uv")
    if uv is None:
        pytest.skip("no uv to install sslyze with")
    found = _FOLDER / "bin" / "sslyze"
    _FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with _FOLDER.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            _install(uv)
    return found


def _install(uv: str) -> None:
    made = [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_FOLDER)]
    filled = [uv, "pip", "install", "--quiet", "--python", str(_FOLDER / "bin" / "python"), f"sslyze=={VERSION}"]
    for command in (made, filled):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_INSTALL_SECONDS)
        if done.returncode != 0:
            shutil.rmtree(_FOLDER, ignore_errors=True)
            pytest.skip(f"sslyze {VERSION} cannot be installed: {done.stderr.strip()[-200:]}")


def speaks(protocol: Protocol | None) -> bool:
    """Whether sslyze knows that STARTTLS (None = none)."""
    return protocol is None or protocol in _STARTTLS


def scan(port: int, protocol: Protocol | None, folder: Path) -> Account:
    """What is comparable, and nothing else, through a counting relay."""
    report = folder / "sslyze.json"
    dialogue = ["--starttls", _STARTTLS[protocol]] if protocol is not None else []
    dialogue += ["--xmpp_to", SNI] if protocol is Protocol.XMPP else []
    with Relay(port) as relay:
        command = [str(program()), *_SCOPE, *dialogue, "--sni", SNI, "--quiet", "--json_out", str(report)]
        begun = time.monotonic()
        done = subprocess.run(
            [*command, f"127.0.0.1:{relay.port}"], capture_output=True, text=True, check=False, timeout=_SCAN_SECONDS
        )
        seconds = time.monotonic() - begun
        assert done.returncode == 0, done.stdout + done.stderr
        return Account(NAME, parse(report.read_text()), relay.accepted, seconds)


def parse(report: str) -> dict[str, Words]:
    """The facts of a JSON report. A command that failed says nothing."""
    (server,) = json.loads(report)["server_scan_results"]
    if server["connectivity_status"] != "COMPLETED":
        # What it cannot talk to is a fact, too: nothing is passed over in silence.
        return {"reached": word(server["connectivity_error_trace"].strip().rsplit('"', maxsplit=2)[-2])}
    results = {name: one["result"] for name, one in server["scan_result"].items() if one["status"] == "COMPLETED"}
    facts = {"reached": word("yes")}
    for version, name in _RESULTS.items():
        if found := results.get(f"{name}_cipher_suites"):
            facts |= _version_facts(version, found)
    best = _BEST[server["connectivity_result"]["highest_tls_version_supported"]]
    curves = results.get("elliptic_curves")
    if curves is not None and curves["supported_curves"] is not None:
        names = [one["name"] for one in curves["supported_curves"]]
        facts[f"{best} groups"] = frozenset(_GROUPS.get(name, name) for name in names)
    return facts | _dh_bits(results) | _sides(results)


def _version_facts(version: str, found: Mapping[str, Any]) -> dict[str, Words]:
    suites = [one["cipher_suite"]["name"] for one in found["accepted_cipher_suites"]]
    facts = {version: accepted(bool(suites))}
    return facts | ({f"{version} suites": frozenset(suites)} if suites and version != "SSLv2" else {})


def _dh_bits(results: Mapping[str, Any]) -> dict[str, Words]:
    """The smallest DH prime that a suite below TLS 1.3 was negotiated with."""
    accepted_suites = [
        one
        for name in list(_RESULTS.values())[1:-1]
        for one in (results.get(f"{name}_cipher_suites") or {}).get("accepted_cipher_suites", ())
    ]
    keys = [one["ephemeral_key"] for one in accepted_suites if one["ephemeral_key"]]
    sizes = [key["size"] for key in keys if key["type_name"] == "DH"]
    return {"DH bits": word(min(sizes))} if sizes else {}


def _sides(results: Mapping[str, Any]) -> dict[str, Words]:
    sides = {
        "compression": ("tls_compression", "supports_compression"),
        "secure renegotiation": ("session_renegotiation", "supports_secure_renegotiation"),
        "fallback SCSV": ("tls_fallback_scsv", "supports_fallback_scsv"),
        "extended master secret": ("tls_extended_master_secret", "supports_ems_extension"),
    }
    return {fact: accepted(results[name][key]) for fact, (name, key) in sides.items() if name in results}
