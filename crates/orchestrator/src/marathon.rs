//! Marathon of DC/OS: apps, groups and pods. The project ended in 2021, so files only.
//!
//! Schema: Marathon 1.11 REST API, `/v2/apps`, `/v2/groups`, `/v2/pods`.

use std::sync::Arc;

use crate::{
    docker::words,
    document::{At, Item, Node},
    leaf::Leaf,
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Named, Port, Probes, Resources, Security, Source,
        Volume, Workload,
    },
};

/// `marathon`
pub(crate) const READER: Reader = Reader {
    name: "marathon",
    title: "apps, groups and pods of Marathon",
    recognises: |at| {
        let items = at.items();
        let listed = at.get("apps").items();
        let first = items.first().or(listed.first()).unwrap_or(at);
        is_app(first) || at.get("groups").items().iter().any(|group| group.get("id").is_set())
    },
    read,
};

/// Groups within groups.
const MAX_DEPTH: usize = 16;

fn is_app(at: &At<'_>) -> bool {
    let named = at.get("id").word().is_some_and(|id| !id.is_empty());
    let runs = ["cmd", "args", "container", "instances"].iter().any(|key| at.get(key).is_set());
    let pod = at.get("containers").is_list() && at.get("scaling").is_set();
    named && (pod || runs) && !at.get("ociVersion").is_set()
}

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let node = Arc::new(node.clone());
    group(file, &node, &At::top(&node), 0, out);
}

fn group(file: &Arc<str>, node: &Arc<Node>, at: &At<'_>, depth: usize, out: &mut Read) {
    if depth > MAX_DEPTH {
        out.gap(file, at.place().line, "groups within groups are not read this deep");
        return;
    }
    if is_app(at) {
        app(file, node, at, out);
        return;
    }
    let members = ["apps", "pods", "groups"].into_iter().flat_map(|key| at.get(key).items());
    for member in members.chain(at.items()) {
        group(file, node, &member, depth + 1, out);
    }
}

fn app(file: &Arc<str>, node: &Arc<Node>, at: &At<'_>, out: &mut Read) {
    let is_pod = at.get("containers").is_list();
    let object = Object {
        orchestrator: READER.name,
        file: file.clone(),
        line: at.place().line,
        api: String::new(),
        kind: if is_pod { "pod" } else { "app" }.to_owned(),
        name: at.get("id").word().unwrap_or("*").to_owned(),
        namespace: Leaf::default(),
        node: node.clone(),
    };
    let mut workload = Workload {
        source: Source {
            orchestrator: READER.name,
            file: file.clone(),
            line: object.line,
            path: at.place().path,
            node: Some(node.clone()),
        },
        id: Id { kind: object.kind.clone(), name: object.name.clone(), ..Id::default() },
        labels: named(&at.get("labels")),
        replicas: at.get("instances").integer().or(&at.down(&["scaling", "instances"]).integer()).clone(),
        ..Workload::default()
    };
    if is_pod {
        workload.security.user = at.get("user").text();
        let networks = at.get("networks").items();
        let host = networks.iter().find(|one| one.get("mode").word() == Some("host"));
        workload.isolation.host_network = host.map_or_else(Leaf::default, |one| Leaf::Set(true, one.place()));
        workload.volumes = at.get("volumes").items().iter().map(volume).collect();
        workload.containers = at.get("containers").items().iter().map(pod_container).collect();
    } else {
        let (container, isolation) = app_container(&object.name, at);
        workload.isolation = isolation;
        workload.containers = vec![container];
    }
    out.workloads.push(workload);
    out.objects.push(object);
}

fn named(at: &At<'_>) -> Vec<Named> {
    at.entries().into_iter().map(|(name, at)| Named { name: name.to_owned(), value: at.text() }).collect()
}

fn app_container(name: &str, at: &At<'_>) -> (Container, Isolation) {
    let docker = at.down(&["container", "docker"]);
    let mut isolation = Isolation::default();
    let networks = at.get("networks").items();
    if docker.get("network").word() == Some("HOST") {
        isolation.host_network = Leaf::Set(true, docker.get("network").place());
    } else if let Some(host) = networks.iter().find(|one| one.get("mode").word() == Some("host")) {
        isolation.host_network = Leaf::Set(true, host.place());
    }
    let ports = [docker.get("portMappings"), at.down(&["container", "portMappings"])];
    let mut container = Container {
        name: name.to_owned(),
        image: docker.get("image").text(),
        command: words::command(&at.get("cmd")),
        args: at.get("args").texts(),
        env: env(&at.get("env")),
        security: Security {
            privileged: docker.get("privileged").flag(),
            user: at.get("user").text(),
            ..Security::default()
        },
        ports: ports.iter().flat_map(At::items).map(|one| port(&one)).collect(),
        mounts: at.down(&["container", "volumes"]).items().iter().map(mount).collect(),
        resources: limits(at),
        probes: probes(at.get("healthChecks").items().first(), at),
        place: at.place(),
        ..Container::default()
    };
    for parameter in docker.get("parameters").items() {
        flag(&parameter, &mut container, &mut isolation);
    }
    (container, isolation)
}

/// A flag of `docker run`, free to anybody who may change the app.
fn flag(at: &At<'_>, container: &mut Container, isolation: &mut Isolation) {
    let place = at.get("value").place();
    let value = at.get("value").text();
    let host = value.clone().map(|mode| mode == "host");
    let one = Item { value: value.clone(), place: place.clone() };
    let security = &mut container.security;
    match at.get("key").word().unwrap_or_default() {
        "privileged" => security.privileged = at.get("value").flag(),
        "user" => security.user = value,
        "cap-add" => push(&mut security.add, one),
        "cap-drop" => push(&mut security.drop, one),
        "security-opt" => {
            if let Leaf::Set(text, place) = value {
                words::security_option(&text, place, security);
            }
        }
        "read-only" => security.read_only_root = at.get("value").flag(),
        "net" | "network" => isolation.host_network = host,
        "pid" => isolation.host_pid = host,
        "ipc" => isolation.host_ipc = host,
        "uts" => isolation.host_uts = host,
        "userns" => isolation.host_users = host,
        "device" => container.devices.push(one),
        "volume" | "v" => {
            if let Leaf::Set(text, place) = value {
                container.mounts.push(words::bind(&text, place));
            }
        }
        _ => {}
    }
}

fn push(list: &mut Leaf<Vec<Item>>, item: Item) {
    match list {
        Leaf::Set(items, _) => items.push(item),
        _ => *list = Leaf::Set(vec![item.clone()], item.place),
    }
}

fn pod_container(at: &At<'_>) -> Container {
    Container {
        name: at.get("name").word().unwrap_or("*").to_owned(),
        image: at.down(&["image", "id"]).text(),
        command: words::command(&at.down(&["exec", "command", "shell"])),
        env: env(&at.get("environment")),
        security: Security { user: at.get("user").text(), ..Security::default() },
        ports: at.get("endpoints").items().iter().map(port).collect(),
        mounts: at.get("volumeMounts").items().iter().map(pod_mount).collect(),
        resources: limits(&at.get("resources")),
        probes: probes(Some(&at.get("healthCheck")), at),
        place: at.place(),
        ..Container::default()
    }
}

/// Marathon promises and limits with one number.
fn limits(at: &At<'_>) -> Resources {
    Resources {
        cpu_request: at.get("cpus").text(),
        memory_request: at.get("mem").text(),
        cpu_limit: at.get("cpus").text(),
        memory_limit: at.get("mem").text(),
    }
}

fn probes(check: Option<&At<'_>>, at: &At<'_>) -> Probes {
    let liveness = match check {
        Some(check) if check.is_set() => Leaf::Set((), check.place()),
        _ => Leaf::Unset(at.place()),
    };
    Probes { liveness, ..Probes::default() }
}

fn env(at: &At<'_>) -> Vec<Env> {
    let one = |(name, at): (&str, At<'_>)| {
        let secret = at.get("secret");
        let kind =
            if secret.is_set() { EnvKind::SecretReference(secret.text()) } else { EnvKind::Plain(at.text()) };
        Env { name: name.to_owned(), kind, place: at.place() }
    };
    at.entries().into_iter().map(one).collect()
}

fn port(at: &At<'_>) -> Port {
    Port {
        container: at.get("containerPort").integer(),
        host: at.get("hostPort").integer(),
        address: Leaf::default(),
        name: at.get("name").text(),
        place: at.place(),
    }
}

fn mount(at: &At<'_>) -> Mount {
    let place = at.place();
    Mount {
        volume: Leaf::Unset(place.clone()),
        host: at.get("hostPath").text(),
        target: at.get("containerPath").text(),
        read_only: at.get("mode").text().map(|mode| mode.eq_ignore_ascii_case("ro")),
        propagation: Leaf::default(),
        sub_path: Leaf::default(),
        place,
    }
}

fn pod_mount(at: &At<'_>) -> Mount {
    Mount {
        volume: at.get("name").text(),
        host: Leaf::Unset(at.place()),
        target: at.get("mountPath").text(),
        read_only: at.get("readOnly").flag(),
        propagation: Leaf::default(),
        sub_path: Leaf::default(),
        place: at.place(),
    }
}

fn volume(at: &At<'_>) -> Volume {
    let host = at.get("host");
    Volume {
        name: at.get("name").word().unwrap_or_default().to_owned(),
        kind: if host.is_set() { "hostPath" } else { "volume" }.to_owned(),
        from: host.text(),
        read_only: Leaf::Unset(at.place()),
        place: at.place(),
    }
}
