"""The Kubernetes manifests: valid against the API's schemas, restricted, and in step with the code. Offline."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from services.notifier.channels.traits import TRAITS
from vigilo_cli.config import effective, settings_classes

K8S = Path(__file__).parents[2] / "k8s"
OVERLAYS = sorted(path.parent for path in K8S.glob("overlays/*/kustomization.yaml"))
COMPONENTS = sorted(path.parent for path in K8S.glob("components/*/kustomization.yaml"))
SERVICES = {"api", "scheduler", "scanner", "grader", "alerter", "notifier", "projector"}
FAUST_SERVICES = {"scheduler", "grader", "alerter"}

Manifest = dict[str, Any]


def manifests(folder: Path) -> list[Manifest]:
    """Every object in the YAML files of a folder, kustomizations left out."""
    found = []
    for path in sorted(folder.glob("*.yaml")):
        found += [one for one in yaml.safe_load_all(path.read_text()) if one and one["kind"] != "Kustomization"]
    return found


BASE = manifests(K8S / "base")
WORKLOADS = [one for one in BASE if one["kind"] in ("Deployment", "Job")]


def name_of(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def container(manifest: Manifest) -> Manifest:
    (only,) = manifest["spec"]["template"]["spec"]["containers"]
    return dict(only)


@pytest.mark.parametrize("manifest", BASE, ids=name_of)
def test_every_object_is_valid(manifest: Manifest) -> None:
    kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_a_wrong_field_would_be_found() -> None:
    broken = {**WORKLOADS[0], "specs": {}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.name)
def test_every_overlay_renders_valid_objects(overlay: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed, and only it renders overlays")
    rendered = subprocess.run([kubectl, "kustomize", str(overlay)], check=True, capture_output=True, timeout=60)
    objects = list(yaml.safe_load_all(rendered.stdout))
    assert {one["metadata"]["name"] for one in objects if one["kind"] == "Deployment"} == SERVICES
    for one in objects:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda path: path.name)
def test_every_component_renders_valid_objects(component: Path, tmp_path: Path) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed, and only it renders components")
    shutil.copytree(K8S, tmp_path / "k8s")
    overlay = tmp_path / "k8s" / "overlays" / "with-it"
    overlay.mkdir()
    parts = {"resources": ["../../base"], "components": [f"../../components/{component.name}"]}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(parts))
    rendered = subprocess.run([kubectl, "kustomize", str(overlay)], check=True, capture_output=True, timeout=60)
    objects = list(yaml.safe_load_all(rendered.stdout))
    for one in objects:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    plain = [one["spec"] for one in WORKLOADS]
    changed = [one for one in objects if one["kind"] == "Deployment" and one["spec"] not in plain]
    for one in changed:
        assert {mount["name"] for mount in container(one)["volumeMounts"]} == {
            volume["name"] for volume in one["spec"]["template"]["spec"]["volumes"]
        }
    assert {one["metadata"]["name"] for one in changed} == {path.stem for path in component.glob("*.yaml")} - {
        "kustomization"
    }


def test_every_setting_is_one_that_some_service_reads_and_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    (shared,) = [one for one in BASE if one["kind"] == "ConfigMap"]
    for name, value in shared["data"].items():
        monkeypatch.setenv(name, value)
    rows, problems = effective(settings_classes())
    assert not [line for line in problems if any(name in line for name in shared["data"])]
    known = {row.variable for row in rows}
    given = {one["name"] for workload in WORKLOADS for one in container(workload).get("env", [])}
    for path in K8S.glob("components/*/*.yaml"):
        given |= set(re.findall(r"VIGILO_[A-Z_]+", path.read_text()))
    assert {name.removesuffix("_FILE") for name in {*given, *shared["data"]}} <= known


def test_every_file_of_the_base_is_part_of_it() -> None:
    listed = yaml.safe_load((K8S / "base" / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {path.name for path in (K8S / "base").glob("*.yaml")} - {"kustomization.yaml"}


def test_there_is_one_deployment_per_service() -> None:
    assert {one["metadata"]["name"] for one in WORKLOADS if one["kind"] == "Deployment"} == SERVICES


@pytest.mark.parametrize("manifest", WORKLOADS, ids=name_of)
def test_pods_are_restricted(manifest: Manifest) -> None:
    pod, only = manifest["spec"]["template"]["spec"], container(manifest)
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} <= only["resources"].keys()
    assert not only["image"].endswith(":latest")


@pytest.mark.parametrize("manifest", WORKLOADS, ids=name_of)
def test_no_secret_is_an_environment_variable(manifest: Manifest) -> None:
    assert not [one for one in container(manifest).get("env", []) if "secretKeyRef" in one.get("valueFrom", {})]


@pytest.mark.parametrize("manifest", WORKLOADS, ids=name_of)
def test_the_command_is_a_module_that_exists(manifest: Manifest) -> None:
    module = container(manifest)["args"][0]
    spec = importlib.util.find_spec(module)
    assert spec is not None
    if spec.submodule_search_locations is not None:
        assert importlib.util.find_spec(f"{module}.__main__") is not None


@pytest.mark.parametrize("manifest", [one for one in WORKLOADS if one["kind"] == "Deployment"], ids=name_of)
def test_services_are_probed_and_given_time_to_stop(manifest: Manifest) -> None:
    only = container(manifest)
    assert only["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert only["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert "startupProbe" in only
    assert manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 30
    strategy = "Recreate" if manifest["metadata"]["name"] in FAUST_SERVICES else "RollingUpdate"
    assert manifest["spec"]["strategy"]["type"] == strategy


def test_a_scanner_may_finish_the_slowest_host() -> None:
    (scanner,) = [one for one in WORKLOADS if one["metadata"]["name"] == "scanner"]
    assert scanner["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > 60


def test_a_notifier_may_finish_the_slowest_mail() -> None:
    (notifier,) = [one for one in WORKLOADS if one["metadata"]["name"] == "notifier"]
    slowest = max(one.longest for one in TRAITS.values())
    assert notifier["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > slowest.total_seconds() + 10
