"""nginx and haproxy of the distribution, each one process with a port for every way it is configured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.distribution import running, unpacked
from tests.fakes.pki import Issued
from tests.fakes.scanner_process import free_port

_MOZILLA_INTERMEDIATE = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)
EVERYTHING = "ALL:COMPLEMENTOFALL:!PSK:!SRP:@SECLEVEL=0"
_OLD_TO_NEW = "ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;"
_SERVER_ORDER = "ssl_prefer_server_ciphers on;"


@dataclass(frozen=True, slots=True)
class NginxSite:
    """One `server` block: `keys` are certificates served (rsa, ecdsa), `lines` its TLS directives."""

    keys: tuple[str, ...]
    lines: tuple[str, ...]


NGINX_SITES: dict[str, NginxSite] = {
    "modern": NginxSite(("rsa",), ("ssl_protocols TLSv1.3;",)),
    "intermediate": NginxSite(("rsa",), ("ssl_protocols TLSv1.2 TLSv1.3;", f"ssl_ciphers {_MOZILLA_INTERMEDIATE};")),
    "as it comes": NginxSite(("rsa",), ()),
    "legacy": NginxSite(("rsa",), (_OLD_TO_NEW, "ssl_ciphers HIGH:!PSK:!SRP:@SECLEVEL=0;", _SERVER_ORDER)),
    "everything": NginxSite(("rsa",), (_OLD_TO_NEW, f"ssl_ciphers {EVERYTHING};", _SERVER_ORDER)),
    "TLS 1.2 only, server order": NginxSite(
        ("rsa",), ("ssl_protocols TLSv1.2;", "ssl_ciphers ECDHE+AES256:ECDHE+AES128:RSA+AES;", _SERVER_ORDER)
    ),
    "ChaCha first": NginxSite(
        ("rsa",),
        (
            "ssl_protocols TLSv1.2 TLSv1.3;",
            f"ssl_ciphers {_MOZILLA_INTERMEDIATE};",
            _SERVER_ORDER,
            "ssl_conf_command Options PrioritizeChaCha;",
        ),
    ),
    "ECDSA": NginxSite(("ecdsa",), ("ssl_protocols TLSv1.2 TLSv1.3;", "ssl_ciphers HIGH:!PSK:!SRP;")),
    "RSA and ECDSA": NginxSite(
        ("rsa", "ecdsa"), ("ssl_protocols TLSv1.2 TLSv1.3;", f"ssl_ciphers {_MOZILLA_INTERMEDIATE};", _SERVER_ORDER)
    ),
    "DH of 1024 bits": NginxSite(
        ("rsa",),
        (
            "ssl_protocols TLSv1.2;",
            "ssl_ciphers DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-SHA:AES128-SHA:@SECLEVEL=0;",
            "ssl_dhparam {folder}/dh1024.pem;",
        ),
    ),
    "two curves": NginxSite(
        ("rsa",), ("ssl_protocols TLSv1.2 TLSv1.3;", "ssl_ecdh_curve secp521r1:secp384r1;", "ssl_session_tickets off;")
    ),
}

_NGINX = """worker_processes 2;
daemon off;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
{sites}}}
"""


def _site(site: NginxSite, port: int, folder: Path) -> str:
    keys = [f"ssl_certificate {folder}/{key}.pem; ssl_certificate_key {folder}/{key}.pem;" for key in site.keys]
    lines = [line.replace("{folder}", str(folder)) for line in site.lines]
    inside = "\n    ".join([f"listen 127.0.0.1:{port} ssl;", *keys, *lines, "return 204;"])
    return f"  server {{\n    {inside}\n  }}\n"


# Any safe prime will do: what counts is its size. Made by `openssl dhparam 1024`.
_DH_1024 = """-----BEGIN DH PARAMETERS-----
MIGHAoGBAKzFI63l7myU5sSff7egndKWvXlvFJ8k8sAp9SxmbIIahyAF1z8xEea0
LrGBMkbzO/8w11hhaZTpaaXqdJ/ilR+NeZpmwxixu+qkLvwBnHil63/Yaqn/zWpi
0FoeFA3VmYj4bZrmY5hRhv9pSw48xV2vPBgO6pYgfQZ+vsn4j/z3AgEC
-----END DH PARAMETERS-----
"""


@contextmanager
def nginx(rsa: Issued, ecdsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """The port of each of NGINX_SITES."""
    files = unpacked("nginx")
    _write_pem(rsa, folder / "rsa.pem")
    _write_pem(ecdsa, folder / "ecdsa.pem")
    (folder / "dh1024.pem").write_text(_DH_1024)
    ports = {name: free_port() for name in NGINX_SITES}
    sites = "".join(_site(site, ports[name], folder) for name, site in NGINX_SITES.items())
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, sites=sites))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    with running(command, files=files, etc={}, folder=folder, port=ports["modern"]):
        yield ports


HAPROXY_BINDS: dict[str, str] = {
    "as it comes": "",
    "legacy": f"ssl-min-ver TLSv1.0 ciphers {EVERYTHING}",
    "TLS 1.2 only, client order": "ssl-min-ver TLSv1.2 ssl-max-ver TLSv1.2 prefer-client-ciphers",
    "TLS 1.3 only": "ssl-min-ver TLSv1.3 ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256 curves X448:P-256",
}
_HAPROXY = """global
  tune.ssl.default-dh-param 2048
defaults
  mode http
  timeout connect 5s
  timeout client 10s
  timeout server 10s
frontend tls
{binds}
  http-request return status 204
"""


@contextmanager
def haproxy(rsa: Issued, folder: Path) -> Iterator[dict[str, int]]:
    """The port of each of HAPROXY_BINDS."""
    files = unpacked("haproxy", "liblua5.3-0", "libopentracing1", "libopentracing-c-wrapper0")
    pem = folder / "haproxy.pem"
    _write_pem(rsa, pem)
    ports = {name: free_port() for name in HAPROXY_BINDS}
    binds = "\n".join(f"  bind 127.0.0.1:{ports[name]} ssl crt {pem} {rest}" for name, rest in HAPROXY_BINDS.items())
    config = folder / "haproxy.cfg"
    config.write_text(_HAPROXY.format(binds=binds))
    command = ["haproxy", "-f", str(config)]
    with running(command, files=files, etc={}, folder=folder, port=ports["as it comes"]):
        yield ports


def _write_pem(leaf: Issued, path: Path) -> None:
    path.write_bytes(leaf.chain_pem() + leaf.key_pem)
    path.chmod(0o600)
