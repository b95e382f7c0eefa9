"""postfix and dovecot of the distribution: STARTTLS and direct ports, as they come and opened to old clients."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.fakes.distribution import running, unpacked
from tests.fakes.pki import Issued
from tests.fakes.scanner_process import free_port

_MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = /dev/stdout
inet_interfaces = 127.0.0.1
myhostname = mx.test
mydestination =
alias_maps =
smtpd_tls_chain_files = {folder}/server.pem
smtpd_tls_security_level = may
"""
_OLD = "-o smtpd_tls_protocols=>=TLSv1 -o smtpd_tls_mandatory_protocols=>=TLSv1 -o tls_preempt_cipherlist=yes"
_OLD += " -o smtpd_tls_ciphers=low -o smtpd_tls_mandatory_ciphers=low -o tls_low_cipherlist=ALL:@SECLEVEL=0"
_MASTER = """127.0.0.1:{smtp} inet n - n - - smtpd
127.0.0.1:{smtps} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
127.0.0.1:{old} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes {options}
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


@contextmanager
def postfix(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """Its ports: `smtp` (STARTTLS), `smtps`, and `old` (TLS 1.0 and more, own order, from the first byte).

    `folder` must be open to other users.
    """
    files = unpacked("postfix")
    for name in ("queue", "data"):
        (folder / name).mkdir()
    shutil.chown(folder / "data", 903, 903)
    _write_pem(rsa, folder)
    ports = {name: free_port() for name in ("smtp", "smtps", "old")}
    etc = {
        "postfix/main.cf": _MAIN.format(folder=folder),
        "postfix/master.cf": _MASTER.format(**ports, options=_OLD),
    }
    with running(["postfix", "start-fg"], files=files, etc=etc, folder=folder, port=ports["smtp"]):
        yield ports


_DOVECOT = """base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <{folder}/server.pem
ssl_key = <{folder}/server.pem
{options}
passdb {{
  driver = static
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s}
  }}
}}
"""
DOVECOT_DH = "ssl_dh = </usr/share/dovecot/dh.pem"  # as Debian's configuration has it; without, DHE fails
DOVECOT_OLD = "ssl_min_protocol = TLSv1\nssl_cipher_list = ALL:@SECLEVEL=0\nssl_prefer_server_ciphers = yes"


@contextmanager
def dovecot(rsa: Issued, folder: Path, options: str = DOVECOT_DH) -> Iterator[dict[str, int]]:
    """Its ports: `imap` and `pop3` (STARTTLS), `imaps` and `pop3s`. `options` are lines of its configuration."""
    files = unpacked("dovecot-core", "dovecot-imapd", "dovecot-pop3d")
    _write_pem(rsa, folder)
    ports = {name: free_port() for name in ("imap", "imaps", "pop3", "pop3s")}
    etc = {"dovecot/dovecot.conf": _DOVECOT.format(folder=folder, options=options, **ports)}
    with running(["dovecot", "-F"], files=files, etc=etc, folder=folder, port=ports["imap"]):
        yield ports


def _write_pem(leaf: Issued, folder: Path) -> None:
    path = folder / "server.pem"
    path.write_bytes(leaf.key_pem + leaf.chain_pem())
    path.chmod(0o600)
