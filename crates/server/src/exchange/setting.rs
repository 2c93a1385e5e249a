//! Lists that are kept as settings, as a whole or in documents of their own, and secrets in them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_audit::Record;
use boltseal_identity::{Authority, seal::Purpose, secret::Secret};
use boltseal_store::{Document, Facts};
use serde::{Serialize, de::DeserializeOwned};

use super::Error;

/// The list under `name`; an empty one where there is none.
pub(super) async fn list<T: DeserializeOwned>(facts: &Facts, name: &str) -> Result<Vec<T>, Error> {
    match facts.setting(name).await?.filter(|text| !text.is_empty()) {
        Some(text) => serde_json::from_str(&text)
            .map_err(|wrong| Error::Setting { name: name.to_owned(), why: wrong.to_string() }),
        None => Ok(Vec::new()),
    }
}

/// Keeps a list, in one commit with what is recorded of the change.
pub(super) async fn keep<T: Serialize + Sync>(
    facts: &Facts,
    name: &str,
    list: &[T],
    record: &Record,
) -> Result<(), Error> {
    let text = serde_json::to_string(list)
        .map_err(|wrong| Error::Setting { name: name.to_owned(), why: wrong.to_string() })?;
    Ok(facts.recording(vec![record.entry()]).set(name, &text).await?)
}

/// All that is kept of a kind, each in a document of its own.
pub(super) async fn documents<T: DeserializeOwned>(facts: &Facts, kind: &str) -> Result<Vec<T>, Error> {
    let read = |document: Document| {
        serde_json::from_str(&document.body.unwrap_or_default())
            .map_err(|wrong| Error::Setting { name: document.id, why: wrong.to_string() })
    };
    facts.documents_of(kind).await?.into_iter().map(read).collect()
}

/// Keeps one of them, or takes it away, in one commit with what is recorded of the change.
pub(super) async fn keep_one<T: Serialize + Sync>(
    facts: &Facts,
    kind: &str,
    name: &str,
    kept: Option<&T>,
    record: &Record,
) -> Result<(), Error> {
    let unwritable = |wrong: serde_json::Error| Error::Asked(wrong.to_string());
    let body = kept.map(serde_json::to_string).transpose().map_err(unwritable)?;
    let document = Document { kind: kind.to_owned(), id: name.to_owned(), body };
    Ok(facts.recording(vec![record.entry()]).change_settings(vec![document]).await?)
}

/// Seals a secret for a setting. `context` names what it is for, so that it opens as nothing else.
pub(super) fn seal(authority: &Authority, secret: &Secret, context: &str) -> Result<String, Error> {
    let sealed = authority.keys().seal(Purpose::Setting, secret.expose().as_bytes(), context.as_bytes())?;
    Ok(STANDARD.encode(sealed))
}

/// Opens it again.
pub(super) fn open(authority: &Authority, sealed: &str, context: &str) -> Result<Secret, Error> {
    let unreadable = |why: String| Error::Setting { name: context.to_owned(), why };
    let sealed = STANDARD.decode(sealed).map_err(|wrong| unreadable(wrong.to_string()))?;
    let plain = authority.keys().open(Purpose::Setting, &sealed, context.as_bytes())?;
    let text = std::str::from_utf8(&plain).map_err(|wrong| unreadable(wrong.to_string()))?;
    Ok(Secret::new(text.to_owned()))
}
