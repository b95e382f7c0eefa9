"""`vigilo scan` trusts what the grader trusts, and what a person adds."""

from __future__ import annotations

from pathlib import Path

from tests.fakes.pki import Authority
from vigilo.adapters.trust_stores import load_trust_stores
from vigilo_cli.scan import stores


def test_what_distrusts_some_public_roots_counts_here_too() -> None:
    assert stores().distrust.rows
    assert stores().version == load_trust_stores().version


def test_roots_of_a_file_are_added_and_take_nothing_away(tmp_path: Path) -> None:
    root = Authority.create("Ours").root
    file = tmp_path / "ours.pem"
    file.write_bytes(root.pem)
    with_ours = stores(file)
    assert with_ours.private.anchors == (root.certificate,)
    assert (with_ours.public.version, with_ours.distrust) == (stores().public.version, stores().distrust)
    assert with_ours.version.endswith("+file-ours.pem")
