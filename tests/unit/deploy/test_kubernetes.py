"""The Kubernetes manifests, as far as they can be judged without a cluster."""

import re
import tomllib
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.loading import load
from config.problems import ConfigError
from config.settings import Settings
from receiver.accounts.providers import installed_providers
from receiver.http.auth import OPEN_PATHS
from tests.unit.deploy.files import DEPLOY, ROOT, instructions
from tests.unit.docs.pages import OPERATIONS
from tests.unit.docs.test_pages import runs

TEXT = (DEPLOY / "kubernetes.yaml").read_text("utf-8")
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all(TEXT))
WORKLOADS = ["StatefulSet", "Job"]
DOCKERFILE = instructions(DEPLOY / "Dockerfile")


def only(kind: str) -> Any:
    """Return the one manifest of a kind."""
    [found] = [manifest for manifest in MANIFESTS if manifest["kind"] == kind]
    return found


def pod(kind: str) -> Any:
    """Return what the pods of a workload are."""
    return only(kind)["spec"]["template"]["spec"]


def container(kind: str) -> Any:
    """Return the one container of a workload's pods."""
    [found] = pod(kind)["containers"]
    return found


def labels(kind: str) -> dict[str, str]:
    """Return the labels of a workload's pods."""
    found: dict[str, str] = only(kind)["spec"]["template"]["metadata"]["labels"]
    return found


def mounts(kind: str) -> dict[str, str]:
    """Return where a container has which volume."""
    return {mount["mountPath"]: mount["name"] for mount in container(kind)["volumeMounts"]}


def settings(kind: str, folder: Path, leave_out: str = "") -> Settings:
    """Return the settings that a workload's container reads, in a cluster's environment."""
    [text] = only("ConfigMap")["data"].values()
    written = folder / "payevents.toml"
    written.write_text(text)
    environ = {each["name"]: f"the value of {each['name']}" for each in container(kind)["env"]}
    environ.pop(leave_out, None)
    # What Kubernetes itself gives a pod for the Service payevents.
    environ |= {"PAYEVENTS_SERVICE_HOST": "10.0.0.1", "PAYEVENTS_PORT": "tcp://10.0.0.1:8080"}
    models = {name: provider.settings for name, provider in installed_providers().items()}
    return load(written, environ, models)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_the_configuration_is_right(kind: str, tmp_path: Path) -> None:
    """The loader takes the ConfigMap's file and the variables of each workload."""
    read = settings(kind, tmp_path)
    assert list(read.accounts) == ["shop"]
    assert read.admin.token is not None


@pytest.mark.parametrize("variable", [each["name"] for each in container("StatefulSet")["env"]])
def test_every_variable_is_needed(variable: str, tmp_path: Path) -> None:
    """Without any one of them the loader says no: so their names are those that it reads."""
    with pytest.raises(ConfigError):
        settings("StatefulSet", tmp_path, leave_out=variable)


def test_the_secret_that_is_made_is_the_one_that_is_read() -> None:
    """The command at the file's head makes each key of the Secret, and no other."""
    references = [
        each["valueFrom"]["secretKeyRef"]
        for each in chain.from_iterable(container(kind)["env"] for kind in WORKLOADS)
    ]
    assert {reference["name"] for reference in references} == {"payevents"}
    assert "create secret generic payevents " in TEXT
    assert {reference["key"] for reference in references} == {
        *re.findall(r"--from-literal=([a-z-]+)=", TEXT)
    }


@pytest.mark.parametrize("kind", WORKLOADS)
def test_the_container_is_that_of_the_image(kind: str) -> None:
    """It runs a command that there is, as the image's user, and reads the file that it reads."""
    assert runs(f"payevents {' '.join(container(kind)['args'])}")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert container(kind)["image"] == f"payevents:{version}"
    [user] = [rest for word, rest in DOCKERFILE if word == "USER"]
    security = pod(kind)["securityContext"]
    assert f"{security['runAsUser']}:{security['runAsGroup']}" == user
    assert security["fsGroup"] == security["runAsGroup"]
    assert security["runAsNonRoot"]
    [name] = only("ConfigMap")["data"]
    [folder] = [path for path, volume in mounts(kind).items() if volume == "configuration"]
    assert any(f"PAYEVENTS_CONFIG={folder}/{name}" in rest for _, rest in DOCKERFILE)


@pytest.mark.parametrize("kind", WORKLOADS)
def test_it_can_do_nothing_that_it_need_not(kind: str) -> None:
    """No root file system to write, no capability, no token of the cluster; /tmp is writable."""
    assert container(kind)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod(kind)["automountServiceAccountToken"] is False
    volumes = {volume["name"]: volume for volume in pod(kind)["volumes"]}
    assert volumes[mounts(kind)["/tmp"]]["emptyDir"] == {}  # noqa: S108
    assert volumes["configuration"]["configMap"]["name"] == only("ConfigMap")["metadata"]["name"]


def test_the_spool_survives_the_pod(tmp_path: Path) -> None:
    """Each pod has a volume of its own where the spool is, with more room than it may take."""
    read = settings("StatefulSet", tmp_path)
    [claim] = only("StatefulSet")["spec"]["volumeClaimTemplates"]
    assert mounts("StatefulSet")[str(read.spool.directory)] == claim["metadata"]["name"]
    size = re.fullmatch(r"(\d+)Gi", claim["spec"]["resources"]["requests"]["storage"])
    assert size is not None
    assert int(size[1]) * 2**30 > read.spool.max_bytes


def test_the_ports_are_those_that_are_listened_on(tmp_path: Path) -> None:
    """Each named port is the listener's, which other machines can reach."""
    read = settings("StatefulSet", tmp_path)
    ports = {port["name"]: port["containerPort"] for port in container("StatefulSet")["ports"]}
    assert ports == {"webhooks": read.http.port, "admin": read.admin.port}
    assert read.http.host == read.admin.host == "0.0.0.0"  # noqa: S104


def test_the_admin_listener_is_in_no_service() -> None:
    """Services and the Ingress lead to the webhooks alone, and the Ingress to two paths."""
    services = [manifest for manifest in MANIFESTS if manifest["kind"] == "Service"]
    ports = [port for service in services for port in service["spec"]["ports"]]
    assert {port["targetPort"] for port in ports} == {"webhooks"}
    names = {service["metadata"]["name"] for service in services}
    assert only("StatefulSet")["spec"]["serviceName"] in names
    [rule] = only("Ingress")["spec"]["rules"]
    paths = rule["http"]["paths"]
    assert [path["path"] for path in paths] == ["/webhooks/", "/livez"]
    for path in paths:
        assert path["backend"]["service"]["name"] in names
        assert path["backend"]["service"]["port"]["name"] == "webhooks"
    public, private = only("NetworkPolicy")["spec"]["ingress"]
    assert public == {"ports": [{"port": "webhooks"}]}
    assert private["ports"] == [{"port": "admin"}]
    assert private["from"]


def test_the_way_in_is_the_public_url(tmp_path: Path) -> None:
    """The Ingress has the host at which webhooks are registered."""
    spec = only("Ingress")["spec"]
    url = settings("StatefulSet", tmp_path).http.public_url
    assert [f"https://{rule['host']}" for rule in spec["rules"]] == [url]
    assert [f"https://{host}" for tls in spec["tls"] for host in tls["hosts"]] == [url]


def test_probes_ask_what_answers_without_a_token() -> None:
    """Ready is /readyz and alive /livez, of the admin listener."""
    probes = {
        name: container("StatefulSet")[f"{name}Probe"]["httpGet"]
        for name in ("readiness", "liveness")
    }
    assert probes == {
        "readiness": {"path": "/readyz", "port": "admin"},
        "liveness": {"path": "/livez", "port": "admin"},
    }
    assert {probe["path"] for probe in probes.values()} <= OPEN_PATHS


def test_a_pod_is_given_the_time_to_end(tmp_path: Path) -> None:
    """It is killed no sooner than the manual says, and takes webhooks until that is noticed."""
    told = re.search(r"Give it (\d+) before a kill", OPERATIONS.read_text("utf-8"))
    assert told is not None
    assert pod("StatefulSet")["terminationGracePeriodSeconds"] == int(told[1])
    probe = container("StatefulSet")["readinessProbe"]
    noticed = probe["periodSeconds"] * probe["failureThreshold"]
    assert settings("StatefulSet", tmp_path).http.drain_delay.total_seconds() >= noticed


def test_selectors_choose_the_pods_that_serve() -> None:
    """Services, budget and policy choose those of the StatefulSet, and not the Job's."""
    spec = only("StatefulSet")["spec"]
    selectors = [
        spec["selector"]["matchLabels"],
        only("PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
        *(each["spec"]["selector"] for each in MANIFESTS if each["kind"] == "Service"),
        *(
            each["labelSelector"]["matchLabels"]
            for each in pod("StatefulSet")["topologySpreadConstraints"]
        ),
    ]
    assert len(selectors) == 6
    for selector in selectors:
        assert selector.items() <= labels("StatefulSet").items()
        assert not selector.items() <= labels("Job").items()
    assert spec["replicas"] > only("PodDisruptionBudget")["spec"]["maxUnavailable"] > 0


def test_what_comes_first_can_be_chosen() -> None:
    """The first of the two `kubectl apply` at the file's head takes what the Job needs, and it."""
    chosen = re.search(r"component in \((.*)\)", TEXT)
    assert chosen is not None
    first = {
        manifest["kind"]
        for manifest in MANIFESTS
        if manifest["metadata"]["labels"]["app.kubernetes.io/component"] in chosen[1].split(", ")
    }
    assert first == {"ConfigMap", "Job"}
    assert f"job/{only('Job')['metadata']['name']} " in TEXT
