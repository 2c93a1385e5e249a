//! The specification of a pod to the model.

use super::template::Template;
use crate::{
    document::At,
    leaf::Leaf,
    read::Object,
    workload::{
        Container, Env, EnvKind, Id, Identity, Isolation, Mount, Named, Port, Probes, PullSecret, Resources,
        Role, SeLinux, Security, Source, Volume, Workload,
    },
};

const LISTS: [(&str, Role); 3] =
    [("initContainers", Role::Init), ("containers", Role::Main), ("ephemeralContainers", Role::Ephemeral)];

/// The workload that `object` describes at `template`.
pub(super) fn read(object: &Object, template: &Template<'_>) -> Workload {
    let Template { metadata, spec } = template;
    let context = spec.get("securityContext");
    let account = spec.get("serviceAccountName").text();
    let place = spec.place();
    Workload {
        source: Source {
            orchestrator: object.orchestrator,
            file: object.file.clone(),
            line: object.line,
            path: place.path,
            node: Some(object.node.clone()),
        },
        id: Id {
            api: object.api.clone(),
            kind: object.kind.clone(),
            name: object.name.clone(),
            namespace: object.namespace.clone(),
        },
        labels: named(&metadata.get("labels")),
        annotations: named(&metadata.get("annotations")),
        identity: Identity {
            account: account.or(&spec.get("serviceAccount").text()).clone(),
            automount: spec.get("automountServiceAccountToken").flag(),
            managed: Leaf::default(),
        },
        isolation: isolation(spec),
        security: security(&context),
        sysctls: context.get("sysctls").items().iter().map(sysctl).collect(),
        containers: LISTS
            .iter()
            .flat_map(|(key, role)| spec.get(key).items().into_iter().map(|at| container(&at, *role)))
            .collect(),
        volumes: spec.get("volumes").items().iter().map(volume).collect(),
        pull: spec
            .get("imagePullSecrets")
            .items()
            .iter()
            .map(|at| PullSecret::Reference(at.get("name").text()))
            .collect(),
        restart: spec.get("restartPolicy").text(),
        replicas: replicas(object),
        ..Workload::default()
    }
}

fn replicas(object: &Object) -> Leaf<i64> {
    At::top(&object.node).down(&["spec", "replicas"]).integer()
}

fn named(at: &At<'_>) -> Vec<Named> {
    at.entries().into_iter().map(|(name, at)| Named { name: name.to_owned(), value: at.text() }).collect()
}

fn sysctl(at: &At<'_>) -> Named {
    let name = at.get("name");
    Named { name: name.word().unwrap_or_default().to_owned(), value: at.get("value").text() }
}

fn isolation(spec: &At<'_>) -> Isolation {
    Isolation {
        host_network: spec.get("hostNetwork").flag(),
        host_pid: spec.get("hostPID").flag(),
        host_ipc: spec.get("hostIPC").flag(),
        host_uts: Leaf::default(),
        host_users: spec.get("hostUsers").flag(),
        shared_processes: spec.get("shareProcessNamespace").flag(),
        sandbox: spec.get("runtimeClassName").text(),
        os: spec.down(&["os", "name"]).text(),
    }
}

fn security(at: &At<'_>) -> Security {
    let capabilities = at.get("capabilities");
    let label = at.get("seLinuxOptions");
    let windows = at.get("windowsOptions");
    Security {
        privileged: at.get("privileged").flag(),
        escalation: at.get("allowPrivilegeEscalation").flag(),
        read_only_root: at.get("readOnlyRootFilesystem").flag(),
        non_root: at.get("runAsNonRoot").flag(),
        user: at.get("runAsUser").text(),
        group: at.get("runAsGroup").text(),
        volume_group: at.get("fsGroup").integer(),
        add: capabilities.get("add").texts(),
        drop: capabilities.get("drop").texts(),
        seccomp: profile(&at.get("seccompProfile")),
        apparmor: profile(&at.get("appArmorProfile")),
        selinux: SeLinux {
            kind: label.get("type").text(),
            user: label.get("user").text(),
            role: label.get("role").text(),
        },
        proc_mount: at.get("procMount").text(),
        windows_host_process: windows.get("hostProcess").flag(),
        windows_account: windows.get("gmsaCredentialSpecName").text(),
    }
}

/// A profile without a type is not the default: the API refuses it, and so do the standards.
fn profile(at: &At<'_>) -> Leaf<String> {
    match at.get("type").text() {
        Leaf::Unset(place) if at.is_set() => Leaf::Set(String::new(), place),
        leaf => leaf,
    }
}

fn container(at: &At<'_>, role: Role) -> Container {
    let place = at.place();
    let always = at.get("restartPolicy").word() == Some("Always");
    Container {
        name: at.get("name").word().map_or_else(|| place.path.clone(), ToOwned::to_owned),
        role: if role == Role::Init && always { Role::Sidecar } else { role },
        image: at.get("image").text(),
        pull_policy: at.get("imagePullPolicy").text(),
        command: at.get("command").texts(),
        args: at.get("args").texts(),
        env: env(at),
        security: security(&at.get("securityContext")),
        ports: at.get("ports").items().iter().map(port).collect(),
        mounts: at.get("volumeMounts").items().iter().map(mount).collect(),
        devices: Vec::new(),
        resources: resources(&at.get("resources")),
        probes: probes(at),
        place,
    }
}

fn env(at: &At<'_>) -> Vec<Env> {
    let mut all = Vec::new();
    for one in at.get("env").items() {
        let from = one.get("valueFrom");
        let secret = from.get("secretKeyRef");
        let kind = if secret.is_set() {
            EnvKind::SecretReference(secret.get("name").text())
        } else if from.is_set() {
            EnvKind::Other
        } else {
            EnvKind::Plain(one.get("value").text())
        };
        let name = one.get("name").word().unwrap_or_default().to_owned();
        all.push(Env { name, kind, place: one.place() });
    }
    for one in at.get("envFrom").items() {
        let secret = one.get("secretRef");
        let kind = if secret.is_set() {
            EnvKind::SecretReference(secret.get("name").text())
        } else {
            EnvKind::Other
        };
        all.push(Env { name: "*".to_owned(), kind, place: one.place() });
    }
    all
}

fn port(at: &At<'_>) -> Port {
    Port {
        container: at.get("containerPort").integer(),
        host: at.get("hostPort").integer(),
        address: at.get("hostIP").text(),
        name: at.get("name").text(),
        place: at.place(),
    }
}

fn mount(at: &At<'_>) -> Mount {
    Mount {
        volume: at.get("name").text(),
        host: Leaf::default(),
        target: at.get("mountPath").text(),
        read_only: at.get("readOnly").flag(),
        propagation: at.get("mountPropagation").text(),
        sub_path: at.get("subPath").text(),
        place: at.place(),
    }
}

fn resources(at: &At<'_>) -> Resources {
    Resources {
        cpu_request: at.down(&["requests", "cpu"]).text(),
        memory_request: at.down(&["requests", "memory"]).text(),
        cpu_limit: at.down(&["limits", "cpu"]).text(),
        memory_limit: at.down(&["limits", "memory"]).text(),
    }
}

fn probes(at: &At<'_>) -> Probes {
    let hooks = ["livenessProbe", "readinessProbe", "startupProbe"].map(|key| at.get(key));
    let lifecycle = ["postStart", "preStop"].map(|key| at.down(&["lifecycle", key]));
    let hosts = hooks
        .iter()
        .chain(&lifecycle)
        .flat_map(|hook| [hook.down(&["httpGet", "host"]), hook.down(&["tcpSocket", "host"])])
        .map(|host| host.text())
        .filter(|host| !host.is_unset())
        .collect();
    let there = |at: &At<'_>| if at.is_set() { Leaf::Set((), at.place()) } else { Leaf::Unset(at.place()) };
    let [liveness, readiness, _] = &hooks;
    Probes { liveness: there(liveness), readiness: there(readiness), hosts }
}

/// What a volume is, is the key beside its name; with nothing beside it, it is an empty folder.
fn volume(at: &At<'_>) -> Volume {
    let kind = at.entries().into_iter().find(|(key, below)| *key != "name" && below.is_set());
    let place = at.place();
    let (kind, from, read_only) = match kind {
        Some((kind, below)) => {
            let key = match kind {
                "hostPath" => "path",
                "secret" => "secretName",
                "configMap" => "name",
                "persistentVolumeClaim" => "claimName",
                "image" => "reference",
                "gitRepo" => "repository",
                "nfs" => "server",
                _ => "driver",
            };
            (kind.to_owned(), below.get(key).text(), below.get("readOnly").flag())
        }
        None => ("emptyDir".to_owned(), Leaf::Unset(place.clone()), Leaf::Unset(place.clone())),
    };
    let name = at.get("name").word().unwrap_or_default().to_owned();
    Volume { name, kind, from, read_only, place }
}
