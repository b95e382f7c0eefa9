"""Mozilla's root store, as certifi ships it, read once at start."""

from __future__ import annotations

import warnings
from importlib import resources
from pathlib import Path

import certifi
from cryptography.utils import CryptographyDeprecationWarning

from vigilo.grading.trust.distrust import parse_overlay
from vigilo.grading.trust.stores import TrustStores, anchors_from_pem


def load_trust_stores(bundle: Path | None = None) -> TrustStores:
    """The public anchors (certifi's bundle, or the PEM file `bundle`) and what is known against some of them.

    Raises OSError when the file cannot be read, ValueError when it holds no certificate.
    """
    path = Path(certifi.where()) if bundle is None else bundle
    version = f"certifi-{certifi.__version__}" if bundle is None else f"file-{path.name}"
    with warnings.catch_warnings():
        # A few old roots have a serial number of zero; that is theirs to mend, and clients accept them.
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        public = anchors_from_pem(path.read_bytes(), version=version)
    overlay = resources.files("vigilo.grading.trust").joinpath("distrust.toml").read_text("utf-8")
    return TrustStores(public=public, distrust=parse_overlay(overlay))
