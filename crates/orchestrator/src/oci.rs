//! `config.json` of the OCI runtime specification 1.2: what a runtime is really told.

use std::sync::Arc;

use crate::{
    document::{At, Item, Node},
    leaf::{Leaf, Place},
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Named, Probes, Resources, Security, Source, Workload,
    },
};

/// `oci`
pub(crate) const READER: Reader = Reader {
    name: "oci",
    title: "`config.json` of OCI bundles",
    recognises: |at| at.get("ociVersion").is_set() && at.get("process").is_map(),
    read,
};

/// What Docker and containerd leave to a container; a bundle says all it has, so more is what was added.
const USUAL: [&str; 14] = [
    "CAP_AUDIT_WRITE",
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_MKNOD",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_RAW",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let node = Arc::new(node.clone());
    let at = At::top(&node);
    let object = Object {
        orchestrator: READER.name,
        file: file.clone(),
        line: node.line,
        api: at.get("ociVersion").word().unwrap_or_default().to_owned(),
        kind: "bundle".to_owned(),
        name: at.get("hostname").word().unwrap_or("*").to_owned(),
        namespace: Leaf::default(),
        node: node.clone(),
    };
    out.workloads.push(workload(&object, &at));
    out.objects.push(object);
}

fn workload(object: &Object, at: &At<'_>) -> Workload {
    let linux = at.get("linux");
    let windows = at.get("windows").is_set();
    let os = if windows { "windows" } else { "linux" };
    let host = |kind: &str| if windows { Leaf::default() } else { shares(&linux.get("namespaces"), kind) };
    Workload {
        source: Source {
            orchestrator: object.orchestrator,
            file: object.file.clone(),
            line: object.line,
            path: String::new(),
            node: Some(object.node.clone()),
        },
        id: Id {
            api: object.api.clone(),
            kind: object.kind.clone(),
            name: object.name.clone(),
            namespace: object.namespace.clone(),
        },
        annotations: named(&at.get("annotations")),
        isolation: Isolation {
            host_network: host("network"),
            host_pid: host("pid"),
            host_ipc: host("ipc"),
            host_uts: host("uts"),
            host_users: host("user"),
            os: Leaf::Set(os.to_owned(), Place::default()),
            ..Isolation::default()
        },
        sysctls: named(&linux.get("sysctl")),
        containers: vec![container(object, at, &linux)],
        ..Workload::default()
    }
}

fn named(at: &At<'_>) -> Vec<Named> {
    at.entries().into_iter().map(|(name, at)| Named { name: name.to_owned(), value: at.text() }).collect()
}

/// Without a namespace of its own, or with the path of another one, it is in somebody else's.
fn shares(namespaces: &At<'_>, kind: &str) -> Leaf<bool> {
    let items = namespaces.items();
    match items.iter().find(|one| one.get("type").word() == Some(kind)) {
        Some(own) if own.get("path").is_set() => {
            Leaf::Unknown("the namespace is one that exists already".to_owned(), own.place())
        }
        Some(own) => Leaf::Set(false, own.place()),
        None => Leaf::Set(true, namespaces.place()),
    }
}

fn container(object: &Object, at: &At<'_>, linux: &At<'_>) -> Container {
    let process = at.get("process");
    Container {
        name: object.name.clone(),
        args: process.get("args").texts(),
        env: process.get("env").items().iter().filter_map(env).collect(),
        security: security(at, &process, linux),
        mounts: at.get("mounts").items().iter().filter_map(mount).collect(),
        devices: devices(&linux.get("devices")),
        resources: Resources {
            cpu_limit: linux.down(&["resources", "cpu", "quota"]).text(),
            memory_limit: linux.down(&["resources", "memory", "limit"]).text(),
            ..Resources::default()
        },
        probes: Probes::default(),
        place: at.place(),
        ..Container::default()
    }
}

fn env(at: &At<'_>) -> Option<Env> {
    let (name, value) = at.word()?.split_once('=')?;
    let value = Leaf::Set(value.to_owned(), at.place());
    Some(Env { name: name.to_owned(), kind: EnvKind::Plain(value), place: at.place() })
}

fn security(at: &At<'_>, process: &At<'_>, linux: &At<'_>) -> Security {
    let has = process.down(&["capabilities", "bounding"]);
    let has = if has.is_set() { has } else { process.down(&["capabilities", "effective"]) };
    let beyond = |item: &Item| item.value.known().is_none_or(|name| !USUAL.contains(&name.as_str()));
    let seccomp = linux.get("seccomp");
    let masked = linux.get("maskedPaths");
    let bare = masked.items().is_empty();
    let windows = at.get("windows").is_set();
    Security {
        escalation: process.get("noNewPrivileges").flag().map(|on| !on),
        read_only_root: at.down(&["root", "readonly"]).flag(),
        user: process.down(&["user", "uid"]).text(),
        group: process.down(&["user", "gid"]).text(),
        add: has.texts().map(|items| items.into_iter().filter(beyond).collect()),
        seccomp: if windows {
            Leaf::default()
        } else if seccomp.is_set() {
            Leaf::Set("Localhost".to_owned(), seccomp.place())
        } else {
            Leaf::Set("Unconfined".to_owned(), seccomp.place())
        },
        apparmor: process.get("apparmorProfile").text().map(|name| match name.as_str() {
            "unconfined" => "Unconfined".to_owned(),
            _ => "Localhost".to_owned(),
        }),
        proc_mount: if bare && !windows {
            Leaf::Set("Unmasked".to_owned(), masked.place())
        } else {
            Leaf::Unset(masked.place())
        },
        ..Security::default()
    }
}

/// File systems of the kernel are no folders of the host.
fn mount(at: &At<'_>) -> Option<Mount> {
    let options: Vec<&str> = at.get("options").items().iter().filter_map(At::word).collect();
    let bound = at.get("type").word() == Some("bind")
        || options.iter().any(|option| matches!(*option, "bind" | "rbind"));
    if !bound {
        return None;
    }
    let propagation = options.iter().find(|option| option.contains("shared") || option.contains("slave"));
    let place = at.place();
    Some(Mount {
        volume: Leaf::Unset(place.clone()),
        host: at.get("source").text(),
        target: at.get("destination").text(),
        read_only: Leaf::Set(options.contains(&"ro"), place.clone()),
        propagation: propagation
            .map_or_else(Leaf::default, |word| Leaf::Set((*word).to_owned(), place.clone())),
        sub_path: Leaf::default(),
        place,
    })
}

fn devices(at: &At<'_>) -> Vec<Item> {
    at.items().iter().map(|one| Item { value: one.get("path").text(), place: one.place() }).collect()
}
