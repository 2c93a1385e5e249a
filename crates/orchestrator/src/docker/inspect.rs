//! `docker inspect` and `podman inspect`: containers as they are.
//!
//! Schema: Docker Engine API 1.47, `GET /containers/{id}/json`.

use std::sync::Arc;

use super::words;
use crate::{
    document::{At, Item, Node},
    leaf::Leaf,
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Port, Probes, Resources, Security, Source, Workload,
    },
};

/// `docker`
pub(crate) const READER: Reader = Reader {
    name: "docker",
    title: "output of `docker inspect` and `podman inspect`",
    recognises: |at| {
        let items = at.items();
        let first = items.first().unwrap_or(at);
        first.get("HostConfig").is_map() && first.get("Config").is_map()
    },
    read,
};

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let top = At::top(node);
    let items = top.items();
    let all = if items.is_empty() { vec![top] } else { items };
    for at in all {
        let Some(node) = at.node() else { continue };
        let name = at.get("Name").word().unwrap_or("*").trim_start_matches('/').to_owned();
        let node = Arc::new(node.clone());
        let object = Object {
            orchestrator: READER.name,
            file: file.clone(),
            line: node.line,
            api: String::new(),
            kind: "container".to_owned(),
            name,
            namespace: Leaf::default(),
            node: node.clone(),
        };
        let at = At::under(&node, &at.place().path);
        out.workloads.push(workload(&object, &at));
        out.objects.push(object);
    }
}

fn workload(object: &Object, at: &At<'_>) -> Workload {
    let host = at.get("HostConfig");
    let shares = |key: &str| host.get(key).text().map(|mode| mode == "host");
    Workload {
        source: Source {
            orchestrator: object.orchestrator,
            file: object.file.clone(),
            line: object.line,
            path: at.place().path,
            node: Some(object.node.clone()),
        },
        id: Id {
            api: object.api.clone(),
            kind: object.kind.clone(),
            name: object.name.clone(),
            namespace: object.namespace.clone(),
        },
        isolation: Isolation {
            host_network: shares("NetworkMode"),
            host_pid: shares("PidMode"),
            host_ipc: shares("IpcMode"),
            host_uts: shares("UTSMode"),
            host_users: shares("UsernsMode"),
            sandbox: host.get("Runtime").text(),
            os: at.get("Platform").text(),
            ..Isolation::default()
        },
        containers: vec![container(object, at, &host)],
        logging: host.down(&["LogConfig", "Type"]).text(),
        restart: host.down(&["RestartPolicy", "Name"]).text(),
        ..Workload::default()
    }
}

fn container(object: &Object, at: &At<'_>, host: &At<'_>) -> Container {
    let config = at.get("Config");
    let health = config.get("Healthcheck");
    let probed = |at: &At<'_>| if at.is_set() { Leaf::Set((), at.place()) } else { Leaf::Unset(at.place()) };
    Container {
        name: object.name.clone(),
        image: config.get("Image").text(),
        command: config.get("Entrypoint").texts(),
        args: config.get("Cmd").texts(),
        env: config.get("Env").items().iter().filter_map(env).collect(),
        security: security(&config, host),
        ports: ports(&host.get("PortBindings")),
        mounts: mounts(at, host),
        devices: devices(host),
        resources: Resources {
            cpu_request: host.get("CpuShares").text(),
            memory_request: host.get("MemoryReservation").text(),
            cpu_limit: limit(&host.get("NanoCpus")).or(&limit(&host.get("CpuQuota"))).clone(),
            memory_limit: limit(&host.get("Memory")),
        },
        probes: Probes { liveness: probed(&health), ..Probes::default() },
        place: at.place(),
        ..Container::default()
    }
}

/// Zero means no limit.
fn limit(at: &At<'_>) -> Leaf<String> {
    match at.text() {
        Leaf::Set(text, place) if matches!(text.as_str(), "0" | "-1") => Leaf::Unset(place),
        leaf => leaf,
    }
}

fn env(at: &At<'_>) -> Option<Env> {
    let (name, value) = at.word()?.split_once('=')?;
    let value = Leaf::Set(value.to_owned(), at.place());
    Some(Env { name: name.to_owned(), kind: EnvKind::Plain(value), place: at.place() })
}

fn security(config: &At<'_>, host: &At<'_>) -> Security {
    let mut security = Security {
        privileged: host.get("Privileged").flag(),
        read_only_root: host.get("ReadonlyRootfs").flag(),
        // An image without a user runs as root, and Docker says so by an empty text.
        user: config.get("User").text(),
        add: host.get("CapAdd").texts(),
        drop: host.get("CapDrop").texts(),
        ..Security::default()
    };
    security.escalation = Leaf::Unset(host.get("SecurityOpt").place());
    words::security_options(&host.get("SecurityOpt"), &mut security);
    let masked = host.get("MaskedPaths");
    if masked.is_list() && masked.items().is_empty() && !security.privileged.is_on() {
        security.proc_mount = Leaf::Set("Unmasked".to_owned(), masked.place());
    }
    security
}

fn ports(bindings: &At<'_>) -> Vec<Port> {
    let mut all = Vec::new();
    for (name, bound) in bindings.entries() {
        let inside = name.split('/').next().and_then(|port| port.parse::<i64>().ok());
        for one in bound.items() {
            all.push(Port {
                container: inside
                    .map_or_else(|| Leaf::Unset(one.place()), |port| Leaf::Set(port, one.place())),
                host: one.get("HostPort").integer(),
                address: one.get("HostIp").text(),
                name: Leaf::default(),
                place: one.place(),
            });
        }
    }
    all
}

/// What was asked for stands in `Binds`; what came of it in `Mounts`, which says more.
fn mounts(at: &At<'_>, host: &At<'_>) -> Vec<Mount> {
    let mounted = at.get("Mounts");
    if !mounted.is_list() {
        let binds = host.get("Binds").items();
        return binds.iter().filter_map(|one| Some(words::bind(one.word()?, one.place()))).collect();
    }
    let one = |at: &At<'_>| {
        let bound = at.get("Type").word() == Some("bind");
        let unset = Leaf::Unset(at.place());
        let source = at.get("Source").text();
        Mount {
            volume: if bound { unset.clone() } else { at.get("Name").text() },
            host: if bound { source } else { unset },
            target: at.get("Destination").text(),
            read_only: at.get("RW").flag().map(|writable| !writable),
            propagation: at.get("Propagation").text(),
            sub_path: Leaf::default(),
            place: at.place(),
        }
    };
    mounted.items().iter().map(one).collect()
}

fn devices(host: &At<'_>) -> Vec<Item> {
    let path = |at: &At<'_>| Item { value: at.get("PathOnHost").text(), place: at.place() };
    host.get("Devices").items().iter().map(path).collect()
}
