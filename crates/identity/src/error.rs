//! Why facts do not make a directory.

use crate::{PrincipalId, RoleError, ScopeMapError, federation::FederationError};

/// What is wrong with the facts of a directory, whether they come from the store or from an edit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A document of a kind that this version does not know.
    #[error("document {kind}/{id}: this version knows no such kind")]
    UnknownKind {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
    },
    /// A document that cannot be read, or a fact that cannot be written.
    #[error("document {kind}/{id} cannot be read: {problem}")]
    Unreadable {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
        /// Where.
        problem: String,
    },
    /// A document that says it is another one.
    #[error("document {kind}/{id} holds {found}")]
    Misfiled {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
        /// The id that stands in it.
        found: String,
    },
    /// A document with more bytes than any needs.
    #[error("document {kind}/{id} has {found} bytes, more than the {limit} allowed")]
    DocumentTooLarge {
        /// Its kind.
        kind: String,
        /// Its id.
        id: String,
        /// How many.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// Two things with one id.
    #[error("{kind} {id} is there already")]
    Exists {
        /// What.
        kind: &'static str,
        /// Which.
        id: String,
    },
    /// Two things with one name; case does not matter.
    #[error("another {kind} is called `{name}`")]
    NameTaken {
        /// What.
        kind: &'static str,
        /// The name.
        name: String,
    },
    /// Something is named that is not there.
    #[error("there is no {kind} {id}, which {by} names")]
    NotFound {
        /// What.
        kind: &'static str,
        /// Which.
        id: String,
        /// Where it is named.
        by: String,
    },
    /// Members, a scope map or an assignment where there can be none.
    #[error("{principal}: {problem}")]
    Kind {
        /// Its name.
        principal: String,
        /// What cannot be.
        problem: &'static str,
    },
    /// A group that is, through others, in itself.
    #[error("group {group} is in itself, through its members")]
    Cycle {
        /// One group of the circle.
        group: PrincipalId,
    },
    /// More of something than the limit.
    #[error("{found} {what}: at most {limit} are allowed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// A text for people that is no line.
    #[error("{what} has at most {limit} characters, none of them control characters")]
    Line {
        /// Which text.
        what: &'static str,
        /// Characters allowed.
        limit: usize,
    },
    /// An assignment of a role where the role may not be given.
    #[error("role `{role}` may not be given at {scope}")]
    NotAssignable {
        /// Its name.
        role: String,
        /// The scope of the assignment.
        scope: String,
    },
    /// A role that would let strangers do more than look.
    #[error("`{role}` cannot be given to everybody: only roles that list and pull images can")]
    TooMuchForEverybody {
        /// Its name.
        role: String,
    },
    /// A role that makes no sense.
    #[error(transparent)]
    Role(#[from] RoleError),
    /// A scope map that makes no sense.
    #[error(transparent)]
    ScopeMap(#[from] ScopeMapError),
    /// A federation that trusts too much, or nobody.
    #[error(transparent)]
    Federation(#[from] FederationError),
}
