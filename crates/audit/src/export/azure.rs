//! Azure Monitor resource logs as diagnostic settings deliver them: `{"records":[…]}`, in the shape of Key Vault's
//! category `AuditEvent`.

use super::{Item, text};
use crate::record::{Object, Outcome, Severity};

/// Bytes of a text; the whole is in `properties.record`.
const MAX_VALUE: usize = 1024;

/// Key Vault names its operations; everything else goes by the name of its action, as in other resource logs.
const OPERATIONS: [(&str, &str); 12] = [
    ("Microsoft.KeyVault/vaults/secrets/getSecret/action", "SecretGet"),
    ("Microsoft.KeyVault/vaults/secrets/setSecret/action", "SecretSet"),
    ("Microsoft.KeyVault/vaults/secrets/readMetadata/action", "SecretList"),
    ("Microsoft.KeyVault/vaults/secrets/delete", "SecretDelete"),
    ("Microsoft.KeyVault/vaults/secrets/update/action", "SecretUpdate"),
    ("Microsoft.KeyVault/vaults/secrets/recover/action", "SecretRecover"),
    ("Microsoft.KeyVault/vaults/secrets/purge/action", "SecretPurge"),
    ("Microsoft.KeyVault/vaults/secrets/backup/action", "SecretBackup"),
    ("Microsoft.KeyVault/vaults/secrets/restore/action", "SecretRestore"),
    ("Microsoft.KeyVault/vaults/keys/read", "KeyGet"),
    ("Microsoft.KeyVault/vaults/keys/sign/action", "KeySign"),
    ("Microsoft.KeyVault/vaults/read", "VaultGet"),
];

pub(super) fn write(items: &[Item<'_>], origin: &str, out: &mut Vec<u8>) {
    Object::write(out, |all| all.list("records", items, |one, item| write_record(one, *item, origin)));
}

fn write_record(one: &mut Object<'_>, item: Item<'_>, origin: &str) {
    let record = item.record;
    let mut time = Vec::with_capacity(24);
    text::write_time(record.time, &mut time);
    one.text_of("callerIpAddress", record.source.address.map(|address| address.to_string()).as_deref());
    one.text("category", "AuditEvent");
    one.text("correlationId", &record.id.map(|id| id.to_string()).unwrap_or_default());
    one.object("identity", |identity| identity.object("claim", |claim| write_claims(claim, item)));
    one.text("level", level(record.severity));
    one.text("operationName", &operation(&record.action));
    one.text("operationVersion", "1.0");
    one.object("properties", |properties| write_properties(properties, item, origin));
    one.text("resourceId", &text::clean(&record.subject.scope, MAX_VALUE));
    one.text("resultDescription", &text::clean(record.status.as_deref().unwrap_or_default(), MAX_VALUE));
    let (kind, signature, _) = result(record.outcome);
    one.text("resultSignature", signature);
    one.text("resultType", kind);
    one.text("time", &String::from_utf8_lossy(&time));
}

/// As they stand in Entra's tokens.
fn write_claims(claim: &mut Object<'_>, item: Item<'_>) {
    let actor = &item.record.actor;
    claim.text("appidacr", actor.via.name());
    claim.text(
        "http://schemas.microsoft.com/identity/claims/objectidentifier",
        &text::clean(&actor.id, MAX_VALUE),
    );
    claim.text(
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn",
        &text::clean(&actor.name, MAX_VALUE),
    );
    claim.text("idtyp", actor.kind.name());
}

fn write_properties(properties: &mut Object<'_>, item: Item<'_>, origin: &str) {
    let record = item.record;
    properties
        .text("clientInfo", &text::clean(record.source.agent.as_deref().unwrap_or_default(), MAX_VALUE));
    properties.number("httpStatusCode", result(record.outcome).2);
    properties.text("id", &text::clean(record.subject.name.as_deref().unwrap_or_default(), MAX_VALUE));
    properties.text("logIndex", &item.index.to_string());
    properties.text("logOrigin", &text::clean(origin, MAX_VALUE));
    properties.with("record", |out| text::write_json(item.raw, out));
}

fn operation(action: &str) -> String {
    let known = OPERATIONS.into_iter().find(|(known, _)| *known == action);
    known.map_or_else(|| text::clean(action, MAX_VALUE), |(_, operation)| operation.to_owned())
}

/// `resultType`, `resultSignature` and the HTTP status that usually goes with it.
const fn result(outcome: Outcome) -> (&'static str, &'static str, i64) {
    match outcome {
        Outcome::Success => ("Success", "OK", 200),
        Outcome::Denied => ("Failure", "Forbidden", 403),
        Outcome::Failure => ("Failure", "InternalServerError", 500),
        Outcome::Unknown => ("Unknown", "", 0),
    }
}

/// The levels of Azure Monitor's common schema.
const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational | Severity::Low => "Informational",
        Severity::Medium => "Warning",
        Severity::High => "Error",
        Severity::Critical => "Critical",
    }
}
