//! Settings of the registry that are kept as documents: a list of things with names, each a JSON body.

use boltseal_audit::{
    Record,
    record::{Activity, Severity, Subject},
};
use boltseal_identity::{Action, Scope};
use boltseal_store::{Document, Error as StoreError, Facts};
use serde::{Serialize, de::DeserializeOwned};

use crate::{State, control::By, failure::Failure, guard};

/// Characters of a name.
const MAX_NAME: usize = 40;
/// Things of one kind: people keep them in their heads.
const MAX_THINGS: usize = 200;

/// All of a kind, by name.
pub(crate) async fn all<T: DeserializeOwned>(facts: &Facts, kind: &'static str) -> Result<Vec<T>, Failure> {
    let documents = facts.documents_of(kind).await?;
    let read = |document: Document| {
        serde_json::from_str(&document.body.unwrap_or_default()).map_err(|wrong| {
            let detail = format!("{}: {wrong}", document.id);
            Failure::Store(StoreError::Corrupt { what: kind, detail })
        })
    };
    documents.into_iter().map(read).collect()
}

/// Adds a thing, or changes the one with its name, in one commit with what is recorded of that.
pub(crate) async fn put<T: Serialize + Sync>(
    facts: &Facts,
    kind: &'static str,
    name: &str,
    thing: &T,
    record: &Record,
) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(plain) {
        let wanted = "lower-case letters, digits and `-`";
        return Err(Failure::Asked(format!("a name has 1 to {MAX_NAME} characters: {wanted}")));
    }
    let known = facts.documents_of(kind).await?;
    if known.len() >= MAX_THINGS && known.iter().all(|other| other.id != name) {
        return Err(Failure::Conflict(format!("there are {MAX_THINGS} of these, and no more can be")));
    }
    let body = serde_json::to_string(thing).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let document = Document { kind: kind.to_owned(), id: name.to_owned(), body: Some(body) };
    Ok(facts.recording(vec![record.entry()]).change_settings(vec![document]).await?)
}

/// Takes a thing away, if it is there.
pub(crate) async fn remove(
    facts: &Facts,
    kind: &'static str,
    what: &str,
    name: &str,
    record: &Record,
) -> Result<(), Failure> {
    if facts.documents_of(kind).await?.iter().all(|other| other.id != name) {
        return Err(Failure::missing(what, name));
    }
    let document = Document { kind: kind.to_owned(), id: name.to_owned(), body: None };
    Ok(facts.recording(vec![record.entry()]).change_settings(vec![document]).await?)
}

/// What is recorded of a change.
pub(crate) async fn changed(
    state: &State,
    by: &By,
    activity: Activity,
    place: &str,
    name: &str,
) -> Result<Record, Failure> {
    let allowed = guard::may(state, &by.caller, &by.source, Action::RegistryWrite, &Scope::root()).await?;
    let record = Record { activity, ..allowed }.subject(Subject::new(place)).severity(Severity::Medium);
    Ok(record.named(name.chars().take(MAX_NAME).collect::<String>()))
}
