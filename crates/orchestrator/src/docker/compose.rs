//! Compose files and Swarm stacks: each service is a workload.
//!
//! Schema: Compose specification, 2025. Variables stand for their defaults; without one they are unknown.

use std::sync::Arc;

use super::{extends, interpolation, words};
use crate::{
    document::{At, Node},
    leaf::{Leaf, Place},
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Named, Port, Probes, Resources, Security, Source,
        Volume, Workload,
    },
};

/// Where Docker's engine listens.
const SOCKET: &str = "/var/run/docker.sock";

/// `compose`
pub(crate) const READER: Reader = Reader {
    name: "compose",
    title: "Compose files and Swarm stacks",
    recognises: |at| {
        let services = at.get("services");
        services.is_map()
            && !at.get("kind").is_set()
            && services
                .entries()
                .iter()
                .any(|(_, at)| ["image", "build", "extends", "deploy"].iter().any(|key| at.get(key).is_set()))
    },
    read,
};

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let node = Arc::new(interpolation::resolved(node));
    let top = At::top(&node);
    if top.get("include").is_set() {
        out.gap(file, top.get("include").place().line, "included files are not followed: check them too");
    }
    let project = top.get("name").text();
    let volumes: Vec<Volume> =
        top.get("volumes").entries().iter().map(|(name, at)| volume(name, at)).collect();
    let mut extended = 0;
    for (name, own) in top.get("services").entries() {
        extended += usize::from(own.get("extends").is_set());
        if extended > extends::MAX_EXTENDED {
            out.gap(
                file,
                own.place().line,
                "more than 1,000 services extend others: the rest is not looked at",
            );
            break;
        }
        let whole = extends::whole(&top.get("services"), &own);
        let service = whole.as_ref().map_or_else(|| own.clone(), |whole| At::under(whole, &own.place().path));
        if own.down(&["extends", "file"]).is_set() {
            out.gap(file, own.place().line, "a service of another file is extended: check that file too");
        }
        let object = Object {
            orchestrator: READER.name,
            file: file.clone(),
            line: own.place().line,
            api: top.get("version").word().unwrap_or_default().to_owned(),
            kind: "service".to_owned(),
            name: name.to_owned(),
            namespace: project.clone(),
            node: node.clone(),
        };
        out.workloads.push(workload(&object, &service, &volumes));
        out.objects.push(object);
    }
}

fn workload(object: &Object, at: &At<'_>, volumes: &[Volume]) -> Workload {
    let host = |key: &str| shared(&at.get(key));
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
        labels: pairs(&at.get("labels")),
        isolation: Isolation {
            host_network: host("network_mode"),
            host_pid: host("pid"),
            host_ipc: host("ipc"),
            host_uts: host("uts"),
            host_users: shared(&at.get("userns_mode")),
            sandbox: at.get("runtime").text(),
            os: at.get("platform").text().map(|text| text.split('/').next().unwrap_or_default().to_owned()),
            ..Isolation::default()
        },
        sysctls: pairs(&at.get("sysctls")),
        containers: vec![container(&object.name, at)],
        volumes: volumes.to_vec(),
        logging: at.down(&["logging", "driver"]).text(),
        restart: at.get("restart").text(),
        replicas: at.down(&["deploy", "replicas"]).integer(),
        ..Workload::default()
    }
}

/// `host` means the host's; anything else does not.
fn shared(at: &At<'_>) -> Leaf<bool> {
    at.text().map(|mode| mode == "host")
}

/// A mapping, or a list of `name=value`.
fn pairs(at: &At<'_>) -> Vec<Named> {
    if at.is_map() {
        let named = |(name, at): (&str, At<'_>)| Named { name: name.to_owned(), value: at.text() };
        return at.entries().into_iter().map(named).collect();
    }
    let each = at.items();
    each.iter().map(|item| named(item.text(), item.place())).collect()
}

fn named(text: Leaf<String>, place: Place) -> Named {
    match text {
        Leaf::Set(text, place) => match text.split_once('=') {
            Some((name, value)) => Named { name: name.to_owned(), value: Leaf::Set(value.to_owned(), place) },
            // The value comes from where it is run.
            None => Named { name: text, value: Leaf::Unset(place) },
        },
        Leaf::Unknown(why, place) => Named { name: "?".to_owned(), value: Leaf::Unknown(why, place) },
        Leaf::Unset(_) => Named { name: "?".to_owned(), value: Leaf::Unset(place) },
    }
}

fn container(name: &str, at: &At<'_>) -> Container {
    let environment = pairs(&at.get("environment")).into_iter().map(|one| Env {
        place: one.value.place().clone(),
        name: one.name,
        kind: EnvKind::Plain(one.value),
    });
    let health = at.get("healthcheck");
    let off = health.get("disable").flag().is_on();
    Container {
        name: name.to_owned(),
        image: image(at),
        pull_policy: at.get("pull_policy").text(),
        command: words::command(&at.get("entrypoint")),
        args: words::command(&at.get("command")),
        env: environment.collect(),
        security: security(at),
        ports: at.get("ports").items().iter().map(port).collect(),
        mounts: at.get("volumes").items().iter().map(mount).chain(socket(at)).collect(),
        devices: at.get("devices").texts().known().cloned().unwrap_or_default(),
        resources: resources(at),
        probes: Probes {
            liveness: if health.is_set() && !off {
                Leaf::Set((), health.place())
            } else {
                Leaf::Unset(health.place())
            },
            ..Probes::default()
        },
        place: at.place(),
        ..Container::default()
    }
}

/// What is built here has no name of a registry to look at.
fn image(at: &At<'_>) -> Leaf<String> {
    let image = at.get("image").text();
    if at.get("build").is_set() { Leaf::Unset(at.get("image").place()) } else { image }
}

/// The socket of the engine, by another name.
fn socket(at: &At<'_>) -> Option<Mount> {
    let asked = at.get("use_api_socket");
    let place = asked.place();
    match asked.flag() {
        Leaf::Set(true, place) => Some(words::bind(&format!("{SOCKET}:{SOCKET}"), place)),
        Leaf::Unknown(why, at) => Some(Mount { host: Leaf::Unknown(why, at), ..words::bind("", place) }),
        _ => None,
    }
}

/// Of the container, or of what is run in it after it started or before it stops.
fn privileged(at: &At<'_>) -> Leaf<bool> {
    let hooks = ["post_start", "pre_stop"].into_iter().flat_map(|key| at.get(key).items());
    let all = hooks.map(|hook| hook.get("privileged").flag());
    all.fold(at.get("privileged").flag(), |worst, one| match (&worst, &one) {
        (Leaf::Set(true, _), _) => worst,
        (_, Leaf::Set(true, _) | Leaf::Unknown(..)) => one,
        _ => worst,
    })
}

fn security(at: &At<'_>) -> Security {
    let mut security = Security {
        privileged: privileged(at),
        read_only_root: at.get("read_only").flag(),
        user: at.get("user").text(),
        add: at.get("cap_add").texts(),
        drop: at.get("cap_drop").texts(),
        ..Security::default()
    };
    security.escalation = Leaf::Unset(at.get("security_opt").place());
    words::security_options(&at.get("security_opt"), &mut security);
    security
}

fn port(at: &At<'_>) -> Port {
    if !at.is_map() {
        return match at.text() {
            Leaf::Set(text, place) => words::port(&text, place),
            Leaf::Unset(place) => words::port("", place),
            Leaf::Unknown(why, place) => Port {
                container: Leaf::Unknown(why.clone(), place.clone()),
                host: Leaf::Unknown(why.clone(), place.clone()),
                address: Leaf::Unknown(why, place.clone()),
                name: Leaf::default(),
                place,
            },
        };
    }
    Port {
        container: at.get("target").integer(),
        host: at.get("published").integer(),
        address: at.get("host_ip").text(),
        name: at.get("name").text(),
        place: at.place(),
    }
}

fn mount(at: &At<'_>) -> Mount {
    if !at.is_map() {
        return match at.text() {
            Leaf::Set(text, place) => words::bind(&text, place),
            Leaf::Unset(place) => words::bind("", place),
            Leaf::Unknown(why, place) => {
                Mount { host: Leaf::Unknown(why, place.clone()), ..words::bind("", place) }
            }
        };
    }
    let source = at.get("source").text();
    let bound = at.get("type").word() == Some("bind");
    let place = at.place();
    let unset = Leaf::Unset(place.clone());
    Mount {
        volume: if bound { unset.clone() } else { source.clone() },
        host: if bound { source } else { unset },
        target: at.get("target").text(),
        read_only: at.get("read_only").flag(),
        propagation: at.down(&["bind", "propagation"]).text(),
        sub_path: at.down(&["volume", "subpath"]).text(),
        place,
    }
}

fn resources(at: &At<'_>) -> Resources {
    let deploy = at.down(&["deploy", "resources"]);
    Resources {
        cpu_request: deploy.down(&["reservations", "cpus"]).text(),
        memory_request: deploy.down(&["reservations", "memory"]).text(),
        cpu_limit: deploy.down(&["limits", "cpus"]).text().or(&at.get("cpus").text()).clone(),
        memory_limit: deploy.down(&["limits", "memory"]).text().or(&at.get("mem_limit").text()).clone(),
    }
}

/// A volume of the local driver may be a folder of the host after all.
fn volume(name: &str, at: &At<'_>) -> Volume {
    let options = at.get("driver_opts");
    let bound = options.get("o").word().is_some_and(|o| o.split(',').any(|word| word == "bind"));
    Volume {
        name: name.to_owned(),
        kind: if bound { "hostPath" } else { "volume" }.to_owned(),
        from: options.get("device").text(),
        read_only: Leaf::Unset(at.place()),
        place: at.place(),
    }
}
