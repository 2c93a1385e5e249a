//! From what a group file asks to what will hold.

use std::collections::BTreeMap;

use boltseal_orchestrator::{
    Leaf, Place,
    document::Item,
    workload::{self, Resources, Role},
};

use super::{
    Container, Image, Limits, Opening, Plan, Refusal, Users, Wanted, controls, mounts, network, process,
};
use crate::network::Network;

/// Containers of a group; Azure allows 60.
const MAX_CONTAINERS: usize = 100;
/// What a container gets that asks for nothing, as in Azure Container Instances: a processor and 1.5 GB.
const DEFAULT: Resourced = Resourced { cpu: 1_000, memory: 3 << 29 };
/// Processes and threads of a container: enough for a server with some hundred threads, and far below what a machine has.
const PROCESSES: i64 = 512;
/// Open files of a process.
const FILES: u64 = 16_384;
/// The first user of the host that containers are given, well above people and services (as `subuid(5)` does it).
const FIRST_USER: u32 = 1_000_000;
/// Users of one group.
const USERS: u32 = 65_536;
/// Capabilities that a group file can open. In a user namespace they are about the container's own things; all others reach
/// into parts of the kernel that only root of the machine was meant to see.
/// Raw sockets are not among them: a group's network belongs to the machine, and no capability of a container reaches it. `ping`
/// needs none.
const OPENABLE: [&str; 8] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "NET_BIND_SERVICE", "SETGID", "SETUID"];
/// Paths that cannot be seen: they tell about the machine, or change it.
pub const MASKED: [&str; 12] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
/// Paths that cannot be written to.
pub const READ_ONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];

struct Resourced {
    cpu: u64,
    memory: u64,
}

/// What is collected on the way.
#[derive(Default)]
pub(super) struct Notes {
    pub refusals: Vec<Refusal>,
    pub gaps: Vec<String>,
}

impl Notes {
    pub(super) fn refuse(&mut self, place: &Place, why: impl Into<String>) {
        let refusal = Refusal { path: place.path.clone(), line: place.line, why: why.into() };
        // What several containers share is refused once.
        if !self.refusals.contains(&refusal) {
            self.refusals.push(refusal);
        }
    }

    /// What cannot be told from the file is not taken for harmless.
    pub(super) fn known<'a, T>(&mut self, leaf: &'a Leaf<T>) -> Option<&'a T> {
        if let Leaf::Unknown(why, place) = leaf {
            self.refuse(place, format!("it cannot be told from the file: {why}"));
        }
        leaf.known()
    }
}

/// Makes it.
pub(super) fn plan(wanted: &Wanted<'_>) -> Plan {
    let workload = wanted.workload;
    let mut notes = Notes::default();
    group(workload, &mut notes);
    let network = network::network(workload, &mut notes);
    let containers = workload.containers.iter().take(MAX_CONTAINERS);
    let containers: Vec<Container> =
        containers.map(|one| container(wanted, one, &network, &mut notes)).collect();
    for (place, one) in workload.containers.iter().enumerate() {
        if workload.containers.iter().take(place).any(|before| before.name == one.name) {
            notes.refuse(&one.place, format!("two containers are called {}", one.name));
        }
    }
    Plan { name: workload.id.name.clone(), network, containers, refusals: notes.refusals, gaps: notes.gaps }
}

/// What holds for all of its containers.
fn group(workload: &workload::Workload, notes: &mut Notes) {
    if workload.source.orchestrator != "aci" {
        let kind = &workload.id.kind;
        notes.refuse(
            &workload.place(),
            format!("a {kind} is run by its own orchestrator; what is run here are container groups"),
        );
    }
    if workload.is_windows() {
        notes.refuse(workload.isolation.os.place(), "containers of Windows need a machine with Windows");
    }
    if let Some(kind) =
        notes.known(&workload.isolation.sandbox).filter(|kind| kind.eq_ignore_ascii_case("confidential"))
    {
        let why = format!(
            "`{kind}` promises a machine whose memory is encrypted, which this one cannot prove to have"
        );
        notes.refuse(workload.isolation.sandbox.place(), why);
    }
    if workload.containers.is_empty() {
        notes.refuse(&workload.place(), "it has no containers");
    }
    if workload.containers.len() > MAX_CONTAINERS {
        notes.refuse(&workload.place(), format!("more than {MAX_CONTAINERS} containers"));
    }
}

fn container(
    wanted: &Wanted<'_>,
    one: &workload::Container,
    network: &Network,
    notes: &mut Notes,
) -> Container {
    let workload = wanted.workload;
    let image = notes.known(&one.image).cloned().unwrap_or_default();
    if one.image.is_unset() {
        notes.refuse(one.image.place(), "it names no image");
    }
    let seen = wanted.images.iter().find(|seen| seen.name == image);
    if seen.is_none() && !image.is_empty() {
        notes.gaps.push(format!("{}: the image {image} was not looked at, so what it says of its command, user and variables is not known", one.name));
    }
    refused(workload, one, notes);
    let openings = openings(workload, one, notes);
    let escalates = workload.of(one, |security| &security.escalation);
    if notes.known(escalates) == Some(&true) {
        let why = "no program gains privileges here: the filter of system calls takes that for good; leave the line out";
        notes.refuse(escalates.place(), why);
    }
    let (env, secrets) = process::env(one, seen, notes);
    let mut planned = Container {
        name: one.name.clone(),
        initialises: one.role == Role::Init,
        digest: seen.and_then(|seen| seen.digest.clone()),
        command: process::command(one, seen, notes),
        env,
        secrets,
        working_dir: process::working_dir(seen),
        terminal: false,
        input: false,
        user: user(workload, one, seen, notes),
        users: Users { first: FIRST_USER.saturating_add(USERS.saturating_mul(wanted.range)), count: USERS },
        capabilities: openings.iter().map(|opening| opening.what.clone()).collect(),
        no_new_privileges: true,
        read_only_root: true,
        mounts: mounts::mounts(workload, one, notes),
        masked: MASKED.to_vec(),
        read_only: READ_ONLY.to_vec(),
        limits: limits(&one.resources, notes),
        sysctls: BTreeMap::from([
            ("net.ipv4.ip_unprivileged_port_start", "0"),
            ("net.ipv4.ping_group_range", "0 65535"),
        ]),
        controls: Vec::new(),
        openings,
        image,
    };
    planned.controls = controls::controls(wanted.host, network, &planned);
    planned
}

/// What no line of a group file opens.
fn refused(workload: &workload::Workload, one: &workload::Container, notes: &mut Notes) {
    let privileged = workload.of(one, |security| &security.privileged);
    if notes.known(privileged) == Some(&true) {
        notes.refuse(
            privileged.place(),
            "a privileged container is root of the machine: open the capabilities that it needs instead",
        );
    }
    let seccomp = workload.of(one, |security| &security.seccomp);
    if let Some(profile) = notes.known(seccomp).filter(|profile| *profile != "RuntimeDefault") {
        notes.refuse(
            seccomp.place(),
            format!(
                "system calls are filtered by the list of this program; another one ({profile}) is not read"
            ),
        );
    }
    if let Some(device) = one.devices.first() {
        notes.refuse(&device.place, "devices of the machine are not given to containers");
    }
}

fn openings(workload: &workload::Workload, one: &workload::Container, notes: &mut Notes) -> Vec<Opening> {
    let added = notes.known(workload.of(one, |security| &security.add)).cloned().unwrap_or_default();
    let mut openings = Vec::new();
    for Item { value, place } in added {
        let Some(name) = notes.known(&value).map(|name| name.to_ascii_uppercase()) else { continue };
        let name = name.strip_prefix("CAP_").unwrap_or(&name).to_owned();
        if OPENABLE.contains(&name.as_str()) {
            openings.push(Opening { what: format!("CAP_{name}"), path: place.path, line: place.line });
        } else {
            let why =
                format!("CAP_{name} is not given to containers; what can be opened: {}", OPENABLE.join(", "));
            notes.refuse(&place, why);
        }
    }
    openings.sort_by(|a, b| a.what.cmp(&b.what));
    openings.dedup_by(|a, b| a.what == b.what);
    openings
}

/// What the group says, or else the image.
fn user(
    workload: &workload::Workload,
    one: &workload::Container,
    seen: Option<&Image>,
    notes: &mut Notes,
) -> Option<(u32, u32)> {
    let mut number = |leaf: &Leaf<String>| {
        let text = notes.known(leaf)?;
        let number = text.parse().ok().filter(|number| *number < USERS);
        if number.is_none() {
            notes.refuse(leaf.place(), format!("`{text}` is no number below {USERS}"));
        }
        number
    };
    let user = number(workload.of(one, |security| &security.user));
    let group = number(workload.of(one, |security| &security.group));
    let of_image = seen.and_then(|seen| seen.user);
    if let (None, None, Some(seen)) = (user, of_image, seen) {
        notes
            .gaps
            .push(format!("{}: which user `{}` of the image is, is not known", one.name, seen.config.user));
    }
    match (user, group, of_image) {
        // Whoever names a user alone gets its primary group only where the image knows it, which a number does not tell.
        (Some(user), group, _) => Some((user, group.unwrap_or(0))),
        (None, Some(group), Some((user, _))) => Some((user, group)),
        (None, None, of_image) => of_image,
        (None, Some(_), None) => None,
    }
}

fn limits(resources: &Resources, notes: &mut Notes) -> Limits {
    let mut amount = |limit: &Leaf<String>, request: &Leaf<String>, unit: f64, most: f64, default: u64| {
        let leaf = if limit.is_unset() { request } else { limit };
        let Some(text) = notes.known(leaf) else { return default };
        match text.parse::<f64>() {
            Ok(number) if number > 0.0 && number <= most => {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "it is positive and small, both checked above"
                )]
                let whole = (number * unit).round() as u64;
                whole
            }
            _ => {
                notes.refuse(leaf.place(), format!("`{text}` is no number above 0 and up to {most}"));
                default
            }
        }
    };
    // What Azure calls GB has 2^30 bytes.
    let (gigabyte, thousand) = (1_073_741_824.0, 1_000.0);
    let memory =
        amount(&resources.memory_limit, &resources.memory_request, gigabyte, 4_096.0, DEFAULT.memory);
    let cpu = amount(&resources.cpu_limit, &resources.cpu_request, thousand, 1_024.0, DEFAULT.cpu);
    Limits { memory, cpu: cpu.max(10), processes: PROCESSES, files: FILES }
}
