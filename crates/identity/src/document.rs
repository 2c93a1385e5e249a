//! What the store keeps: every fact of a directory as a text that means nothing to the store.

use serde::{Serialize, de::DeserializeOwned};

use crate::Error;

/// Bytes of a document: a group of ten thousand members, or a principal with all its certificates, is smaller.
pub const MAX_BODY: usize = 1 << 20;

/// One fact of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// One of the words of [`kind`].
    pub kind: String,
    /// Unique within the kind.
    pub id: String,
    /// JSON. It may hold hashes of secrets: it is for the store only.
    pub body: String,
}

/// The kinds of documents.
pub mod kind {
    /// A [`Principal`](crate::Principal).
    pub const PRINCIPAL: &str = "principal";
    /// A custom [`Role`](crate::Role).
    pub const ROLE: &str = "role";
    /// An [`Assignment`](crate::Assignment).
    pub const ASSIGNMENT: &str = "assignment";
    /// A [`ScopeMap`](crate::ScopeMap).
    pub const SCOPE_MAP: &str = "scope-map";
    /// A [`Federation`](crate::federation::Federation).
    pub const FEDERATION: &str = "federation";
}

/// What the store has to do so that it holds the directory after an edit. All of them, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentChange {
    /// Keep it, in the place of the one with its kind and id if there is one.
    Put(Document),
    /// Forget it.
    Delete {
        /// Its kind.
        kind: &'static str,
        /// Its id.
        id: String,
    },
}

impl Document {
    pub(crate) fn of(kind: &'static str, id: &impl ToString, fact: &impl Serialize) -> Result<Self, Error> {
        let id = id.to_string();
        let unreadable =
            |problem: String| Error::Unreadable { kind: kind.to_owned(), id: id.clone(), problem };
        let body = serde_json::to_string(fact).map_err(|error| unreadable(error.to_string()))?;
        if body.len() > MAX_BODY {
            return Err(Error::DocumentTooLarge {
                kind: kind.to_owned(),
                id,
                found: body.len(),
                limit: MAX_BODY,
            });
        }
        Ok(Self { kind: kind.to_owned(), id, body })
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        if self.body.len() > MAX_BODY {
            let (kind, id) = (self.kind.clone(), self.id.clone());
            return Err(Error::DocumentTooLarge { kind, id, found: self.body.len(), limit: MAX_BODY });
        }
        serde_json::from_str(&self.body).map_err(|error| Error::Unreadable {
            kind: self.kind.clone(),
            id: self.id.clone(),
            // The parser's message repeats values, and a value may be a hash of a secret: only the place is told.
            problem: format!("line {}, column {}", error.line(), error.column()),
        })
    }
}
