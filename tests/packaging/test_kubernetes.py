"""The Kubernetes manifests against Kubernetes' own schemas, and against what the project does and needs."""

from __future__ import annotations

import re
from typing import Any

import kubernetes_validate
import pytest
import yaml

import lis_online
from lis_online.access import OPEN, check_access
from lis_online.settings import load
from lis_online.settings.meanings import MEANINGS
from streams.roles import ROLES
from tests.documents import ROOT, blocks
from tests.packaging.manifests import BASE, FOLDER, Pod, documents, kustomization, pods
from tests.test_readme import check_lis_online

PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
PODS = list(pods())
SERVERS = [pod for pod in PODS if pod.kind == "Deployment"]
OLDEST, NEWEST = "1.29", "1.36"


def by_name(pod: Pod) -> str:
    """Name a parameter."""
    return pod.name


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_manifests_obey_the_schemas(version: str) -> None:
    """A misspelled or misplaced key is refused here, and not by the cluster at night."""
    for one in documents():
        kubernetes_validate.validate(one, version, strict=True)


def test_the_schemas_can_be_broken() -> None:
    """A validator that accepts everything would pass the test above."""
    [join] = [one for one in documents() if one["kind"] == "Deployment" and one["metadata"]["name"] == "join"]
    join["spec"]["template"]["spec"]["terminationGracePeriod"] = 60
    with pytest.raises(kubernetes_validate.ValidationError, match="terminationGracePeriod"):
        kubernetes_validate.validate(join, NEWEST, strict=True)


def test_every_file_is_listed_and_every_listed_file_is_there() -> None:
    """What kustomize is not told of is not applied."""
    for folder in (BASE, FOLDER / "gpu", FOLDER / "prometheus"):
        found = kustomization(folder)
        generated = [file for one in found.get("configMapGenerator", []) for file in one["files"]]
        listed = {*found.get("resources", []), *generated, "kustomization.yaml"}
        assert {path.name for path in folder.iterdir()} == listed


def test_there_is_a_deployment_of_each_role_and_of_reviews() -> None:
    """Each runs its own command, on the image that has what it needs."""
    assert {pod.name for pod in SERVERS} == {*ROLES, "reviews"}
    for pod in SERVERS:
        [container] = pod.containers
        wanted = ["serve"] if pod.name == "reviews" else ["worker", pod.name]
        assert container["args"][: len(wanted)] == wanted
        assert container["image"] == ("lis-online-rank" if pod.name == "rank" else "lis-online")


@pytest.mark.parametrize("pod", PODS, ids=by_name)
def test_every_command_exists(pod: Pod) -> None:
    """With the settings file at the place where it is mounted."""
    for container in pod.containers:
        check_lis_online(container["args"])
        assert container["args"][-2:] == ["-c", "/etc/lis-online/lis-online.toml"]
        mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
        assert mounts["/etc/lis-online"] == "settings"


@pytest.mark.parametrize("pod", PODS, ids=by_name)
def test_pods_have_no_rights_that_they_do_not_need(pod: Pod) -> None:
    """Pod Security's "restricted", a root that is read-only, no token of the cluster; every pod has limits."""
    assert pod.spec["automountServiceAccountToken"] is False
    assert pod.spec["enableServiceLinks"] is False
    assert pod.spec["securityContext"]["runAsNonRoot"] is True
    assert pod.spec["securityContext"]["runAsUser"] == _user_of_the_image()
    assert pod.spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in pod.containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
        assert writable <= {"/tmp", "/var/lib/lis-online/checkpoints"}
        for kind in ("requests", "limits"):
            assert {"cpu", "memory"} <= set(container["resources"][kind])


@pytest.mark.parametrize("pod", PODS, ids=by_name)
def test_secrets_come_from_files_that_are_mounted(pod: Pod) -> None:
    """Each variable is a setting; each file is a key of the secret that the page makes; no secret is in a variable."""
    volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
    for container in pod.containers:
        mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in container["volumeMounts"]}
        asked = set()
        for variable in container["env"]:
            setting = variable["name"].removeprefix("LIS_").removesuffix("_FILE").lower().replace("__", ".")
            assert {setting, f"{setting}_file"} & set(MEANINGS)
            folder, _, name = variable["value"].rpartition("/")
            assert "secret" in mounts[folder]
            asked |= {name} if folder.endswith("lis-online") else set()
        assert asked == {item["key"] for item in volumes["secrets"]["secret"]["items"]}
        assert all(re.search(rf"--from-(file|literal)={name}=", PAGE) for name in asked)


@pytest.mark.parametrize("pod", SERVERS, ids=by_name)
def test_probes_ask_paths_that_need_no_token(pod: Pod) -> None:
    """Liveness never asks /readyz: an outage of Kafka would restart every worker, again and again."""
    [container] = pod.containers
    [port] = container["ports"]
    assert port["containerPort"] == (9465 if pod.name == "reviews" else 9464)
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[kind]["httpGet"]
        assert asked["path"] in OPEN
        assert (asked["port"], asked["scheme"]) == (port["name"], "HTTPS")
    assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert container["readinessProbe"]["httpGet"]["path"] == ("/healthz" if pod.name == "reviews" else "/readyz")


@pytest.mark.parametrize("pod", SERVERS, ids=by_name)
def test_a_worker_is_given_time_for_its_last_checkpoint(pod: Pod) -> None:
    """It ends within 20 s; a worker that is replaced ends before the new one begins."""
    assert pod.spec["terminationGracePeriodSeconds"] >= 40
    if pod.name in ROLES:
        [one] = [one for one in documents() if (one["kind"], one["metadata"]["name"]) == ("Deployment", pod.name)]
        assert one["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
        assert {"name": "checkpoints", "persistentVolumeClaim": {"claimName": "checkpoints"}} in pod.spec["volumes"]


def test_selectors_meet_labels_and_ports() -> None:
    """A budget, service or policy that selects nothing says nothing."""
    labels = {pod.name: pod.labels for pod in PODS}
    for one in documents():
        selected = one.get("spec", {}).get("selector", {})
        wanted = selected.get("matchLabels", selected)
        if wanted:
            assert wanted == labels[one["metadata"]["name"]], one["kind"]
    kinds = {kind: {o["metadata"]["name"] for o in documents() if o["kind"] == kind} for kind in _kinds()}
    assert kinds["PodDisruptionBudget"] == set(ROLES)
    assert kinds["Service"] == {"publish", "reviews"}
    [policy] = [one for one in documents() if one["kind"] == "NetworkPolicy"]
    open_ports = {port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]}
    assert open_ports == {port["containerPort"] for pod in SERVERS for c in pod.containers for port in c["ports"]}


def test_components_change_what_is_there() -> None:
    """A patch of a container that has another name adds one."""
    [patch] = kustomization(FOLDER / "gpu")["patches"]
    changed = yaml.safe_load(patch["patch"])
    [rank] = [pod for pod in PODS if pod.name == patch["target"]["name"] == changed["metadata"]["name"]]
    [container] = changed["spec"]["template"]["spec"]["containers"]
    assert container["name"] == rank.containers[0]["name"]
    [monitor] = documents(FOLDER / "prometheus")
    [expression] = monitor["spec"]["selector"]["matchExpressions"]
    assert set(expression["values"]) == set(ROLES)
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] == rank.containers[0]["ports"][0]["name"]
    jobs = [rule["replacement"] for rule in endpoint["relabelings"] if rule["targetLabel"] == "job"]
    assert jobs == ["lis-online"]


def test_images_are_of_this_version() -> None:
    """The manifests of a release start that release; so does the compose file."""
    found = {one["name"]: one["newTag"] for one in kustomization(BASE)["images"]}
    assert found == {"lis-online": lis_online.__version__, "lis-online-rank": f"{lis_online.__version__}-rank"}
    compose = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"image: lis-online:(\S+)", compose)) == set(found.values())


def test_kustomization_of_the_page_is_one_that_works() -> None:
    """It names every image by the name that the base leaves it, so that rank gets its own."""
    [shown] = [yaml.safe_load(block.text) for block in blocks("yaml") if block.where == "docs/kubernetes.md"]
    found = {one["name"]: f"{one['newName']}:{one['newTag']}" for one in shown["images"]}
    assert set(found) == {container["image"] for pod in PODS for container in pod.containers}
    assert not any("newName" in one for one in kustomization(BASE)["images"])
    assert found["lis-online-rank"] == f"{found['lis-online']}-rank" != found["lis-online"]
    for place in (*shown["resources"], *shown["components"]):
        assert (FOLDER / place.removeprefix("../") / "kustomization.yaml").exists()
    assert shown["configMapGenerator"][0]["name"] == kustomization(BASE)["configMapGenerator"][0]["name"]


def test_settings_of_the_manifests_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """With what the environment adds, for each role; what listens to the network has token and certificate."""
    for pod in PODS:
        with monkeypatch.context() as patched:
            patched.setenv("LIS_HTTP__HOST", "0.0.0.0")  # as the image says
            for variable in pod.spec["containers"][0]["env"]:
                file = tmp_path / variable["name"]
                file.write_text("postgresql+psycopg://0123456789abcdef@db/lis", encoding="utf-8")
                patched.setenv(variable["name"], str(file))
            settings = load(BASE / "lis-online.toml")
            if pod in SERVERS:
                check_access(settings.http)
                assert not settings.http.insecure


def _kinds() -> set[str]:
    return {one["kind"] for one in documents()}


def _user_of_the_image() -> int:
    found = re.search(r"^USER (\d+):", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found is not None
    return int(found[1])
