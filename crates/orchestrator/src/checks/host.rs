//! What leads from a workload to its host.

use boltseal_model::Severity;

use super::{Check, Look, privilege::who};
use crate::{
    hit::Hits,
    leaf::Leaf,
    workload::{Container, Mount, Volume, Workload},
};

pub(super) const NAMESPACES: Check = Check {
    id: "host-namespaces",
    severity: Severity::High,
    title: "shares a namespace of its host",
    why: "It sees and reaches what is there: other people's traffic, processes and memory.",
    fix: "remove host networking, processes, memory and names: publish single ports instead",
    sources: &["CIS Docker 5.9", "CIS Docker 5.15", "CIS Docker 5.16", "CIS Kubernetes 5.2.3"],
    standard: Some("hostNamespaces"),
    only: &[],
    look: Look::Workload(namespaces),
};

fn namespaces(workload: &Workload, hits: &mut Hits) {
    let isolation = &workload.isolation;
    let shared = [
        (&isolation.host_network, "network"),
        (&isolation.host_pid, "processes"),
        (&isolation.host_ipc, "memory and queues"),
        (&isolation.host_uts, "name"),
    ];
    for (leaf, what) in shared {
        hits.forbid(leaf, "the workload", |on| on.then(|| format!("shares the {what} of its host")));
    }
}

pub(super) const SOCKET: Check = Check {
    id: "runtime-socket",
    severity: Severity::Critical,
    title: "mounts the socket of the container runtime",
    why: "Whoever speaks to the runtime can start a privileged container, which is root on the host.",
    fix: "remove the mount; to build images use a builder that needs no daemon",
    sources: &["CIS Docker 5.32", "NSA pods"],
    standard: None,
    only: &[],
    look: Look::Workload(socket),
};

/// Sockets of container runtimes.
const SOCKETS: [&str; 6] =
    ["docker.sock", "containerd.sock", "crio.sock", "podman.sock", "dockershim.sock", "docker_engine"];
/// Folders that hold them.
const SOCKET_FOLDERS: [&str; 4] = ["/run/containerd", "/run/crio", "/run/docker", "/run/podman"];

fn is_socket(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let plain = path.strip_prefix("/var").unwrap_or(path);
    SOCKETS.iter().any(|socket| path.ends_with(socket)) || SOCKET_FOLDERS.contains(&plain)
}

fn socket(workload: &Workload, hits: &mut Hits) {
    each_host_path(workload, |container, mount, path| {
        if is_socket(path) {
            hits.say(&mount.place, format!("{} mounts {path}", who(container)));
        }
    });
    // A volume that nobody mounts yet is there for somebody to mount.
    let mounted = |name: &String| {
        let mounts = workload.containers.iter().flat_map(|container| &container.mounts);
        mounts.filter_map(|mount| mount.volume.known()).any(|volume| volume == name)
    };
    for volume in workload.volumes.iter().filter(|volume| volume.kind == "hostPath") {
        if let Some(path) = volume.from.known().filter(|path| is_socket(path))
            && !mounted(&volume.name)
        {
            hits.say(&volume.place, format!("volume \"{}\" is {path}", volume.name));
        }
    }
}

pub(super) const FOLDER: Check = Check {
    id: "host-folder",
    severity: Severity::High,
    title: "mounts a folder that belongs to the host",
    why: "These folders hold the host's credentials, programs and devices, and those of its other containers.",
    fix: "use a volume instead, or mount the one file that is needed, read only",
    sources: &["CIS Docker 5.5", "CIS Kubernetes 5.2.11", "NSA pods"],
    standard: Some("hostPathVolumes"),
    only: &[],
    look: Look::Workload(folder),
};

/// Folders of a host; of `/` itself only the whole.
const FOLDERS: [&str; 14] = [
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/usr",
    "/var/lib/containerd",
    "/var/lib/docker",
    "/var/lib/kubelet",
    "/var/run",
    "/home",
];

fn is_system(path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let below = |folder: &&str| {
        path == *folder || path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'))
    };
    path.is_empty() || FOLDERS.iter().any(below) || path.eq_ignore_ascii_case("c:")
}

fn folder(workload: &Workload, hits: &mut Hits) {
    each_host_path(workload, |container, mount, path| {
        if is_system(path) && !is_socket(path) {
            hits.say(&mount.place, format!("{} mounts {path} of its host", who(container)));
        }
    });
}

pub(super) const WRITABLE: Check = Check {
    id: "writable-host-folder",
    severity: Severity::Medium,
    title: "may write to its host",
    why: "What it writes stays on the host when the container is gone, and can be run there.",
    fix: "mount it read only (`readOnly: true`, Compose: `:ro`), or use a volume",
    sources: &["CIS Docker 5.5", "NSA pods"],
    standard: Some("hostPathVolumes"),
    only: &[],
    look: Look::Workload(writable),
};

fn writable(workload: &Workload, hits: &mut Hits) {
    each_host_path(workload, |container, mount, path| match &mount.read_only {
        Leaf::Set(true, _) => {}
        Leaf::Unknown(why, place) => hits.doubt(place, format!("{}: {why}", who(container))),
        leaf => hits.say(leaf.place(), format!("{} may write to {path} of its host", who(container))),
    });
}

pub(super) const DEVICES: Check = Check {
    id: "host-devices",
    severity: Severity::Medium,
    title: "uses a device of its host",
    why: "A device is outside all rules about files: a disk holds everything, memory even more.",
    fix: "remove the device, or let a device plugin hand it out",
    sources: &["CIS Docker 5.18"],
    standard: None,
    only: &[],
    look: Look::Workload(devices),
};

fn devices(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        for device in &container.devices {
            let name = device.value.known().map_or("a device", String::as_str);
            hits.say(&device.place, format!("{} uses {name}", who(container)));
        }
    }
}

pub(super) const PORTS: Check = Check {
    id: "published-everywhere",
    severity: Severity::Low,
    title: "listens on every address of its host",
    why: "A published port is reachable from everywhere, past the host's own firewall rules.",
    fix: "name the address, such as `127.0.0.1:8080:80`, or put a proxy in front",
    sources: &["CIS Docker 5.14"],
    standard: None,
    only: &["compose", "docker"],
    look: Look::Workload(ports),
};

fn ports(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        for port in &container.ports {
            let everywhere = match &port.address {
                Leaf::Set(address, _) => matches!(address.as_str(), "" | "0.0.0.0" | "::"),
                Leaf::Unset(_) => true,
                Leaf::Unknown(..) => false,
            };
            if let (Leaf::Set(host, _), true) = (&port.host, everywhere) {
                hits.say(&port.place, format!("{} publishes port {host} on every address", who(container)));
            }
        }
    }
}

pub(super) const SHARED_PROCESSES: Check = Check {
    id: "shared-processes",
    severity: Severity::Low,
    title: "containers see each other's processes",
    why: "One container can read the memory, environment and files of the others.",
    fix: "remove `shareProcessNamespace`",
    sources: &["NSA pods"],
    standard: None,
    only: &["kubernetes"],
    look: Look::Workload(|workload, hits| {
        hits.forbid(&workload.isolation.shared_processes, "the pod", |on| {
            on.then(|| "shares processes between its containers".to_owned())
        });
    }),
};

/// Every path of the host that a container mounts, by a volume or by itself.
fn each_host_path(workload: &Workload, mut look: impl FnMut(&Container, &Mount, &str)) {
    for container in &workload.containers {
        for mount in &container.mounts {
            if let Some(path) = mount.host.known() {
                look(container, mount, path);
                continue;
            }
            let named = |volume: &&Volume| Some(&volume.name) == mount.volume.known();
            let volume = workload.volumes.iter().find(named).filter(|volume| volume.kind == "hostPath");
            if let Some(path) = volume.and_then(|volume| volume.from.known()) {
                look(container, mount, path);
            }
        }
    }
}
