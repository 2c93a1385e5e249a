//! Volumes of a container group, and the key it is encrypted with.

use boltseal_model::Severity;

use super::{Check, GROUP, Look, properties};
use crate::{hit::Hits, leaf::Leaf, workload::Workload};

pub(in crate::checks) const GIT: Check = Check {
    id: "aci-git-volume",
    title: "files from whatever a repository has today",
    why: "Whoever can push there changes what runs here at the next start.",
    fix: "put the files into the image, or name the commit in `revision`",
    sources: &["MCSB DS-6"],
    look: Look::Workload(git),
    ..GROUP
};

fn git(workload: &Workload, hits: &mut Hits) {
    let Some(properties) = properties(workload) else { return };
    for volume in properties.get("volumes").items() {
        let repository = volume.get("gitRepo");
        if !repository.is_set() {
            continue;
        }
        match repository.get("revision").text() {
            Leaf::Set(revision, _) if is_commit(&revision) => {}
            Leaf::Unknown(why, place) => hits.doubt(&place, format!("the revision: {why}")),
            leaf => hits.say(leaf.place(), "a volume is a repository without a commit"),
        }
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

pub(in crate::checks) const GIT_CREDENTIALS: Check = Check {
    id: "aci-git-credentials",
    severity: Severity::High,
    title: "credentials in the address of a repository",
    why: "Everybody who may read the definition can read, and often change, the repository.",
    fix: "put the files into the image",
    sources: &["MCSB IM-8 (beyond baseline)"],
    look: Look::Workload(|workload, hits| {
        for volume in workload.volumes.iter().filter(|volume| volume.kind == "gitRepo") {
            if let Leaf::Set(address, place) = &volume.from {
                let authority = address.split_once("://").and_then(|(_, rest)| rest.split('/').next());
                if authority.is_some_and(|authority| authority.contains('@')) {
                    hits.say(place, "the address of a repository holds credentials");
                }
            }
        }
    }),
    ..GROUP
};

pub(in crate::checks) const WRITABLE: Check = Check {
    id: "aci-writable-share",
    severity: Severity::Low,
    title: "share that may be written to",
    why: "Whoever takes over the group changes files that others trust.",
    fix: "set `readOnly: true` on the volume, or on the mount",
    sources: &["MCSB PA-7"],
    look: Look::Workload(writable),
    ..GROUP
};

fn writable(workload: &Workload, hits: &mut Hits) {
    for volume in workload.volumes.iter().filter(|one| one.kind == "azureFile" && !one.read_only.is_on()) {
        let mounts = workload.containers.iter().flat_map(|container| &container.mounts);
        let mut of = mounts.filter(|mount| mount.volume.known() == Some(&volume.name)).peekable();
        let unused = of.peek().is_none();
        if !unused && !of.all(|mount| mount.read_only.is_on()) {
            hits.say(&volume.place, format!("the share of volume \"{}\" may be written to", volume.name));
        }
    }
}

pub(in crate::checks) const NO_KEY: Check = Check {
    id: "aci-no-own-key",
    severity: Severity::Low,
    title: "not encrypted with a key of yours",
    why: "Only with a key of yours can you take away access to what the platform keeps of the group.",
    fix: "set `encryptionProperties` with `vaultBaseUrl`, `keyName` and `keyVersion`",
    sources: &["MCSB DP-5", "Azure Policy 0aa61e00"],
    look: Look::Workload(|workload, hits| match &workload.encryption {
        Leaf::Unset(place) => hits.say(place, "the group is encrypted with keys of the platform"),
        Leaf::Unknown(_, _) | Leaf::Set(..) => {}
    }),
    ..GROUP
};

pub(in crate::checks) const PINNED_KEY: Check = Check {
    id: "aci-key-rotation",
    severity: Severity::Low,
    title: "key that does not rotate",
    why: "A group that names one version of a key keeps it when the key is rotated.",
    fix: "deploy the group again after each rotation, and note when that is due",
    sources: &["MCSB DP-6"],
    look: Look::Workload(|workload, hits| {
        let Some(properties) = properties(workload) else { return };
        let version = properties.down(&["encryptionProperties", "keyVersion"]);
        if version.is_set() && version.unknown().is_none() {
            hits.say(&version.place(), "one version of the key is named");
        }
    }),
    ..GROUP
};
