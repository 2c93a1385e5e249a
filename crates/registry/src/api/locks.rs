//! `PATCH /acr/v1/…`: locks on repositories, tags and manifests, and what the gate is told about a manifest.

use axum::body::Body;
use boltseal_audit::Record;
use boltseal_identity::Action;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{LockChange, Locked, Refusal};
use serde::Deserialize;

use super::{Answer, Call, auth, body::document, quarantine::Decided, refusals, uncancelled};
use crate::{
    endpoints::Line,
    failure::{Code, Failure},
    route::Route,
};

/// Bytes of the request: details of a quarantine with every sign escaped.
const MAX_CHANGE: usize = 64 << 10;

/// What ACR's clients send to change attributes; what they leave out stays.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asked {
    read_enabled: Option<bool>,
    write_enabled: Option<bool>,
    delete_enabled: Option<bool>,
    list_enabled: Option<bool>,
    /// Ours: why, for whoever stands before the lock.
    #[serde(default)]
    note: String,
}

impl Asked {
    fn change(&self) -> Option<LockChange> {
        let change = LockChange {
            read: self.read_enabled,
            write: self.write_enabled,
            delete: self.delete_enabled,
            list: self.list_enabled,
        };
        (change != LockChange::default()).then_some(change)
    }
}

impl Call {
    /// Changes the attributes of a repository or of a tag.
    pub(super) async fn change_attributes(&self, repository: &str, target: Locked, body: Body) -> Answer {
        let (bytes, _) = document(body, MAX_CHANGE).await?;
        let asked = read(&bytes)?;
        let change = asked.change().ok_or_else(nothing_asked)?;
        self.change_lock(repository, target.clone(), change, &asked.note, self.record.clone()).await?;
        match target {
            Locked::Tag(tag) => self.tag_attributes(repository, &tag).await,
            Locked::Repository | Locked::Manifest(_) => self.repository_attributes(repository).await,
        }
    }

    /// Changes the attributes of a manifest, each by the right for it.
    pub(super) async fn change_manifest(&self, repository: String, digest: Digest, body: Body) -> Answer {
        let route = Route::AcrManifest { repository: repository.clone(), digest: digest.clone() };
        let Some(line) = Line::of(&route, &self.parts.method) else {
            return Err(super::not_allowed(&route, &self.parts.method));
        };
        let permit = async |action| {
            auth::permit(&self.registry, &self.parts, &self.caller, &route, line, action).await
        };
        // Whoever may do neither is told so before anything is read.
        let locks = self.principal_may(&repository, Action::MetadataWrite);
        let one = if !locks && self.principal_may(&repository, Action::QuarantineWrite) {
            Action::QuarantineWrite
        } else {
            Action::MetadataWrite
        };
        permit(one).await?;
        let (bytes, _) = document(body, MAX_CHANGE).await?;
        let asked = read(&bytes)?;
        let (change, decided) = (asked.change(), Decided::read(&bytes)?);
        if change.is_none() && decided.is_none() {
            return Err(nothing_asked());
        }
        // Both are asked for before either is done.
        let change = match change {
            Some(change) => Some((change, permit(Action::MetadataWrite).await?)),
            None => None,
        };
        if let Some(decided) = decided {
            let record = permit(Action::QuarantineWrite).await?;
            self.decide_quarantine(&repository, &digest, decided, record).await?;
        }
        if let Some((change, record)) = change {
            let target = Locked::Manifest(digest.clone());
            self.change_lock(&repository, target, change, &asked.note, record).await?;
        }
        self.manifest_attributes(&repository, &digest).await
    }

    async fn change_lock(
        &self,
        repository: &str,
        target: Locked,
        change: LockChange,
        note: &str,
        record: Record,
    ) -> Result<(), Failure> {
        let inner = self.registry.0.clone();
        let facts = self.recording(&describe(record, repository, &target, change, note));
        let (name, by, note) = (repository.to_owned(), self.caller.name.to_string(), note.to_owned());
        let shown = target.shown(repository);
        let changed = uncancelled(async move {
            let changed = facts.change_lock(&name, target, change, &by, &note, Timestamp::now()).await?;
            inner.deleted();
            Ok(changed)
        })
        .await?;
        let missing = || Failure::new(Code::ManifestUnknown, format!("{shown} is not stored here"));
        changed.map(drop).ok_or_else(missing)
    }

    /// Records that a pull stood before a lock, and says so.
    pub(super) async fn locked(&self, record: &Record, refusal: &Refusal) -> Failure {
        let failure = Failure::refused(refusal);
        match refusals::note(&self.registry, record.clone(), &failure, "a lock").await {
            Ok(()) => failure,
            Err(fault) => fault,
        }
    }
}

fn describe(record: Record, repository: &str, target: &Locked, change: LockChange, note: &str) -> Record {
    let record = match target {
        Locked::Repository => record,
        Locked::Tag(tag) => record.named(tag.clone()),
        Locked::Manifest(digest) => record.digest(digest),
    };
    let words = [
        ("readEnabled", change.read),
        ("writeEnabled", change.write),
        ("deleteEnabled", change.delete),
        ("listEnabled", change.list),
    ];
    let words = words.iter().filter_map(|(word, value)| value.map(|value| format!("{word} is {value} now")));
    let record =
        record.status(format!("{}: {}", target.shown(repository), words.collect::<Vec<_>>().join(", ")));
    if note.is_empty() { record } else { record.detail("note", note.chars().take(500).collect::<String>()) }
}

fn read(bytes: &[u8]) -> Result<Asked, Failure> {
    serde_json::from_slice(bytes).map_err(|error| invalid(format!("the body is not what is wanted: {error}")))
}

fn nothing_asked() -> Failure {
    invalid(
        "say what is to change: readEnabled, writeEnabled, deleteEnabled, listEnabled, and of a manifest \
         quarantineState with quarantineDetails"
            .to_owned(),
    )
}

pub(super) fn invalid(message: String) -> Failure {
    Failure::new(Code::Unsupported, message).status(axum::http::StatusCode::BAD_REQUEST)
}
