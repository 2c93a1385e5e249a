//! Credentials of a container group.

use boltseal_model::Severity;

use super::{Check, GROUP, Look, properties};
use crate::{document::At, hit::Hits, leaf::Leaf, workload::PullSecret};

pub(in crate::checks) const PASSWORD: Check = Check {
    id: "aci-registry-password",
    severity: Severity::High,
    title: "password of a registry in plain text",
    why: "Everybody who may read the definition or its history can pull, and often push, your images.",
    fix: "use `identity` with the role AcrPull, or `passwordReference` to a key vault",
    sources: &["MCSB IM-8 (beyond baseline)", "MCSB IM-3"],
    look: Look::Workload(|workload, hits| {
        for secret in &workload.pull {
            if let PullSecret::Password(Leaf::Set(_, place)) = secret {
                hits.say(place, "the password of a registry stands in the definition");
            }
        }
    }),
    ..GROUP
};

pub(in crate::checks) const NO_IDENTITY_PULL: Check = Check {
    id: "aci-registry-identity",
    title: "images are pulled with a password",
    why: "A password does not end, is copied, and is the same for everybody; an identity is none of that.",
    fix: "set `identity` in `imageRegistryCredentials` instead of username and password",
    sources: &["MCSB IM-3", "MCSB PA-7"],
    look: Look::Workload(|workload, hits| {
        for secret in &workload.pull {
            if let PullSecret::Password(leaf) | PullSecret::Reference(leaf) = secret {
                hits.say(leaf.place(), "a registry is used with a password where an identity would do");
            }
        }
    }),
    ..GROUP
};

pub(in crate::checks) const STORAGE_KEY: Check = Check {
    id: "aci-storage-key",
    severity: Severity::High,
    title: "key of a storage account in plain text",
    why: "The key opens the whole account, with everything else that is kept in it.",
    fix: "use `storageAccountKeyReference`, or `listKeys()` in the template",
    sources: &["MCSB IM-8 (beyond baseline)"],
    look: Look::Workload(|workload, hits| {
        let Some(properties) = properties(workload) else { return };
        for volume in properties.get("volumes").items() {
            literal(&volume.down(&["azureFile", "storageAccountKey"]), "the key of a storage account", hits);
        }
    }),
    ..GROUP
};

pub(in crate::checks) const WORKSPACE_KEY: Check = Check {
    id: "aci-workspace-key",
    severity: Severity::High,
    title: "key of a log workspace in plain text",
    why: "Whoever has the key can write logs that look like yours.",
    fix: "use `listKeys()` of the workspace in the template, or a secure parameter",
    sources: &["MCSB IM-8 (beyond baseline)", "MCSB LT-4"],
    look: Look::Workload(|workload, hits| {
        let Some(properties) = properties(workload) else { return };
        let key = properties.down(&["diagnostics", "logAnalytics", "workspaceKey"]);
        literal(&key, "the key of a log workspace", hits);
    }),
    ..GROUP
};

pub(in crate::checks) const VOLUME: Check = Check {
    id: "aci-secret-volume",
    severity: Severity::High,
    title: "secret of a volume in plain text",
    why: "Base64 is no protection: everybody who may read the definition has it.",
    fix: "use `secretReference` to a key vault, or a secure parameter",
    sources: &["MCSB IM-8 (beyond baseline)"],
    look: Look::Workload(|workload, hits| {
        let Some(properties) = properties(workload) else { return };
        for volume in properties.get("volumes").items() {
            for (name, at) in volume.get("secret").entries() {
                literal(&at, &format!("the secret {name}"), hits);
            }
        }
    }),
    ..GROUP
};

pub(in crate::checks) const NO_IDENTITY: Check = Check {
    id: "aci-no-identity",
    severity: Severity::Low,
    title: "no managed identity",
    why: "Without one, a program needs passwords to use other services of Azure.",
    fix: "set `identity: {type: SystemAssigned}` or a user assigned one",
    sources: &["MCSB IM-3"],
    look: Look::Workload(|workload, hits| match &workload.identity.managed {
        Leaf::Unset(place) => hits.say(place, "the group has no identity"),
        Leaf::Set(kind, place) if kind.eq_ignore_ascii_case("none") => {
            hits.say(place, "the group has no identity");
        }
        Leaf::Unknown(why, place) => hits.doubt(place, format!("the identity: {why}")),
        Leaf::Set(..) => {}
    }),
    ..GROUP
};

/// What stands there as itself; what comes from a parameter or a function does not.
fn literal(at: &At<'_>, what: &str, hits: &mut Hits) {
    if let Leaf::Set(text, place) = at.text()
        && !text.is_empty()
    {
        hits.say(&place, format!("{what} stands in the definition"));
    }
}
