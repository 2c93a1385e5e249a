//! Nomad: jobs as JSON (`nomad job run -output`, `/v1/job/…`); each task is a workload.
//!
//! Schema: Nomad 1.9 HTTP API, "Jobs". Of drivers, `docker` and `podman` have the same words.

use std::sync::Arc;

use crate::{
    docker::words,
    document::{At, Node},
    leaf::Leaf,
    read::{Object, Read, Reader},
    workload::{
        Container, Env, EnvKind, Id, Isolation, Mount, Probes, Resources, Security, Source, Workload,
    },
};

/// `nomad`
pub(crate) const READER: Reader = Reader {
    name: "nomad",
    title: "jobs of Nomad as JSON",
    recognises: |at| at.down(&["Job", "TaskGroups"]).is_list() || at.get("TaskGroups").is_list(),
    read,
};

fn read(file: &Arc<str>, node: &Node, out: &mut Read) {
    let node = Arc::new(node.clone());
    let top = At::top(&node);
    let job = if top.get("Job").is_map() { top.get("Job") } else { top };
    for group in job.get("TaskGroups").items() {
        for task in group.get("Tasks").items() {
            let text = |at: &At<'_>| at.get("Name").word().unwrap_or("*").to_owned();
            let object = Object {
                orchestrator: READER.name,
                file: file.clone(),
                line: task.place().line,
                api: String::new(),
                kind: "task".to_owned(),
                name: format!("{}/{}", text(&group), text(&task)),
                namespace: job.get("Namespace").text(),
                node: node.clone(),
            };
            out.workloads.push(workload(&object, &group, &task));
            out.objects.push(object);
        }
    }
}

fn workload(object: &Object, group: &At<'_>, task: &At<'_>) -> Workload {
    let config = task.get("Config");
    let shares = |keys: [&str; 2]| {
        let [one, other] = keys.map(|key| config.get(key).text().map(|mode| mode == "host"));
        one.or(&other).clone()
    };
    let networks = group.get("Networks").items();
    let host = networks.iter().find(|one| one.get("Mode").word() == Some("host"));
    let host = host.map_or_else(Leaf::default, |one| Leaf::Set(true, one.place()));
    Workload {
        source: Source {
            orchestrator: object.orchestrator,
            file: object.file.clone(),
            line: object.line,
            path: task.place().path,
            node: Some(object.node.clone()),
        },
        id: Id {
            kind: object.kind.clone(),
            name: object.name.clone(),
            namespace: object.namespace.clone(),
            ..Id::default()
        },
        isolation: Isolation {
            host_network: shares(["network_mode", "network"]).or(&host).clone(),
            host_pid: shares(["pid_mode", "pid"]),
            host_ipc: shares(["ipc_mode", "ipc"]),
            host_uts: shares(["uts_mode", "uts"]),
            host_users: shares(["userns_mode", "userns"]),
            sandbox: config.get("runtime").text(),
            ..Isolation::default()
        },
        containers: vec![container(object, task, &config)],
        replicas: group.get("Count").integer(),
        ..Workload::default()
    }
}

fn container(object: &Object, task: &At<'_>, config: &At<'_>) -> Container {
    let mut security = Security {
        privileged: config.get("privileged").flag(),
        read_only_root: config.get("readonly_rootfs").flag(),
        user: task.get("User").text(),
        add: config.get("cap_add").texts(),
        drop: config.get("cap_drop").texts(),
        ..Security::default()
    };
    security.escalation = Leaf::Unset(config.get("security_opt").place());
    words::security_options(&config.get("security_opt"), &mut security);
    let resources = task.get("Resources");
    let binds = config.get("volumes").items();
    let binds = binds.iter().filter_map(|one| Some(words::bind(one.word()?, one.place())));
    Container {
        name: object.name.clone(),
        image: config.get("image").text(),
        command: words::command(&config.get("command")),
        args: config.get("args").texts(),
        env: task.get("Env").entries().into_iter().map(|(name, at)| env(name, &at)).collect(),
        security,
        mounts: binds.chain(config.get("mount").items().iter().map(mount)).collect(),
        devices: config
            .get("devices")
            .items()
            .iter()
            .map(|one| crate::document::Item { value: one.get("host_path").text(), place: one.place() })
            .collect(),
        resources: Resources {
            cpu_request: resources.get("CPU").text(),
            memory_request: resources.get("MemoryMB").text(),
            cpu_limit: resources.get("CPU").text(),
            memory_limit: resources.get("MemoryMB").text(),
        },
        probes: checked(task),
        place: task.place(),
        ..Container::default()
    }
}

fn env(name: &str, at: &At<'_>) -> Env {
    Env { name: name.to_owned(), kind: EnvKind::Plain(at.text()), place: at.place() }
}

fn mount(at: &At<'_>) -> Mount {
    let bound = matches!(at.get("type").word(), Some("bind"));
    let unset = Leaf::Unset(at.place());
    let source = at.get("source").text();
    Mount {
        volume: if bound { unset.clone() } else { source.clone() },
        host: if bound { source } else { unset },
        target: at.get("target").text(),
        read_only: at.get("readonly").flag(),
        propagation: Leaf::default(),
        sub_path: Leaf::default(),
        place: at.place(),
    }
}

fn checked(task: &At<'_>) -> Probes {
    let services = task.get("Services").items();
    let check = services.iter().flat_map(|service| service.get("Checks").items()).next();
    let liveness = match check {
        Some(check) => Leaf::Set((), check.place()),
        None => Leaf::Unset(task.place()),
    };
    Probes { liveness, ..Probes::default() }
}
