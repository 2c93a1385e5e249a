//! Changes of who may do what: decided, stored and recorded in one commit, then in force.
//!
//! ```text
//! Edit ──needs──▶ may the caller? ──apply──▶ Directory + documents ──one commit with the record──▶ in force
//! ```
//!
//! On the first start there is nobody; [`Access::open`] then makes `admin`, who holds Owner and, each by an assignment of
//! its own that can be taken away, what an empty registry needs of somebody: pushing and pulling, listing, reading the
//! log, and the security settings.

mod first;
mod keys;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Source, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{
    Action, Authority, Caller, Change, Decision, Directory, DocumentChange, Edit, EditError, RoleId, Summary,
    secret::Secret,
    token::{Revoked, TokenId},
};
use boltseal_model::Timestamp;
use boltseal_store::{Document, Facts, Topic};
use tokio::sync::Mutex;

use crate::foreign::Foreign;

pub use first::FIRST;

/// What the server calls itself in its own tokens.
pub const AUDIENCE: &str = "boltseal";

/// Changes who may do what. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Access(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    authority: Authority,
    facts: Facts,
    foreign: Foreign,
    now: fn() -> Timestamp,
    /// One change at a time: each is made from the directory that the last one left.
    editing: Mutex<()>,
}

/// Why a change was not made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller may not.
    #[error("{}", .0.sentence)]
    Missing(Box<access::Missing>),
    /// It cannot be.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// It could not be stored or recorded.
    #[error(transparent)]
    Store(#[from] boltseal_store::Error),
    /// What is stored makes no sense: it was changed by something else, or by a newer version.
    #[error("who may do what cannot be read: {0}")]
    Directory(#[from] boltseal_identity::Error),
    /// A name that nobody can have.
    #[error(transparent)]
    Name(#[from] boltseal_identity::NameError),
    /// The key of tokens cannot be used.
    #[error("the key {} cannot be used: {why}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// The key of credentials cannot be kept.
    #[error("the key by which credentials are recognised cannot be sealed: {0}")]
    Seal(#[from] boltseal_identity::seal::SealError),
    /// No secret can be made.
    #[error("the system gives no random numbers: nothing can be kept secret")]
    Randomness,
}

impl Access {
    /// Reads who may do what. On the first start, makes the first principal: its secret comes back, for the only time.
    /// `renew` makes another secret for it at any start, which whoever may start the server on this folder can ask for.
    /// The key that seals tokens is `root` in the folder `keys`.
    pub async fn open(keys: &Path, facts: &Facts, renew: bool) -> Result<(Self, Option<Secret>), Error> {
        Self::open_with(keys, facts, renew, Timestamp::now).await
    }

    /// The same with another clock, so that tests can hold it still.
    pub async fn open_with(
        keys: &Path,
        facts: &Facts,
        renew: bool,
        clock: fn() -> Timestamp,
    ) -> Result<(Self, Option<Secret>), Error> {
        let keys = keys::open(&keys.join("root"))?;
        let documents = facts.documents().await?.into_iter().filter_map(document).collect();
        let directory = Directory::from_documents(documents)?;
        let now = clock();
        let mut revoked = Revoked::new();
        for (id, expires) in facts.revoked(now).await? {
            // More than fit are ended by time alone; each was refused when it was ended, so this cannot be.
            let _fits = token_id(&id).map(|id| revoked.add(id, expires, now));
        }
        let fresh = !directory.assignments().any(|assignment| assignment.role == RoleId::OWNER);
        let foreign = Foreign::open(facts, directory.federations()).await?;
        let authority = Authority::new(directory, keys, AUDIENCE, revoked);
        let (facts, editing) = (facts.clone(), Mutex::new(()));
        let access = Self(Arc::new(Inner { authority, facts, foreign, now: clock, editing }));
        let secret = if fresh || renew { Some(first::make(&access, now).await?) } else { None };
        Ok((access, secret))
    }

    /// Who may come in and what they may do, as of now.
    pub fn authority(&self) -> &Authority {
        &self.0.authority
    }

    /// Takes over what other servers on the same facts change, for ever.
    pub async fn follow(&self) {
        let mut following = self.0.facts.following();
        loop {
            if !matches!(following.next().await, Topic::Access | Topic::Everything) {
                continue;
            }
            if let Err(error) = self.read_again().await {
                tracing::error!(%error, "who may do what was changed by another server and cannot be read");
            }
        }
    }

    /// Puts in force what the facts say.
    async fn read_again(&self) -> Result<(), Error> {
        let _one_at_a_time = self.0.editing.lock().await;
        let documents = self.0.facts.documents().await?.into_iter().filter_map(document).collect();
        self.0.authority.replace(Directory::from_documents(documents)?);
        let now = (self.0.now)();
        for (token, expires) in self.0.facts.revoked(now).await? {
            if let Some(token) = token_id(&token) {
                // One that does not fit was ended by its principal's sessions, which the documents say.
                let _fits = self.0.authority.revoke(token, expires, now);
            }
        }
        Ok(())
    }

    /// Names and addresses of this server besides the local ones: tokens that clients sign for us name one of them.
    pub fn answers_to(&self, names: &[String]) {
        self.0.foreign.set_names(names);
    }

    /// What is known of other issuers and their tokens.
    pub(crate) fn foreign(&self) -> &Foreign {
        &self.0.foreign
    }

    /// Makes a change if the caller may, records it either way, and says what it was.
    pub async fn edit(&self, by: &Caller, source: Source, edit: Edit) -> Result<Summary, Error> {
        self.edit_with(by, source, |_| Ok((edit, ()))).await.map(|(summary, ())| summary)
    }

    /// The same with a change that depends on what there is: nobody else changes anything between the look and the deed.
    pub(crate) async fn edit_with<T, E: From<Error>>(
        &self,
        by: &Caller,
        source: Source,
        change: impl FnOnce(&Directory) -> Result<(Edit, T), E> + Send,
    ) -> Result<(Summary, T), E> {
        let _one_at_a_time = self.0.editing.lock().await;
        let now = (self.0.now)();
        let directory = self.0.authority.directory();
        let (edit, made) = change(&directory)?;
        let why = match self.permitted(&directory, by, &source, &edit, now).await? {
            Some(decision) => access::why(&decision),
            None => Why::rule("one's own"),
        };
        let summary = self.store(&directory, Deed { by, source, why, now }, edit).await?;
        Ok((summary, made))
    }

    /// Makes changes in the name of the server itself, all in one commit.
    async fn edit_unasked(&self, edits: Vec<Edit>, why: &'static str) -> Result<(), Error> {
        let _one_at_a_time = self.0.editing.lock().await;
        let mut directory = (*self.0.authority.directory()).clone();
        let (mut documents, mut entries) = (Vec::new(), Vec::new());
        let deed =
            Deed { by: &Caller::system(), source: Source::local(), why: Why::rule(why), now: (self.0.now)() };
        for edit in edits {
            let (change, record) = deed.clone().apply(&directory, edit)?;
            directory = change.directory;
            documents.extend(change.documents.into_iter().map(stored));
            entries.push(record.entry());
        }
        self.0.facts.recording(entries).change_documents(documents).await?;
        self.0.authority.replace(directory);
        Ok(())
    }

    /// The first of the decisions that allow an edit, or what is missing.
    async fn permitted(
        &self,
        directory: &Directory,
        by: &Caller,
        source: &Source,
        edit: &Edit,
        now: Timestamp,
    ) -> Result<Option<Decision>, Error> {
        let mut granted = None;
        for need in directory.needs(edit, by.id) {
            let decision = directory.permits(by.id, &need, now);
            if !decision.is_granted() || !by.covers_control() {
                let sentence = access::missing(by, &decision);
                let record = Record::new(now, activity(edit, directory), need.action.name())
                    .actor(access::actor(by))
                    .source(source.clone())
                    .subject(Subject::new(need.scope.as_str()))
                    .outcome(Outcome::Denied)
                    .status(sentence.clone())
                    .why(access::why(&decision));
                self.0.facts.append(vec![record.entry()]).await?;
                let scope = need.scope.as_scope().unwrap_or_else(boltseal_identity::Scope::root);
                let missing = access::Missing { sentence, action: need.action, scope, record };
                return Err(Error::Missing(Box::new(missing)));
            }
            granted.get_or_insert(decision);
        }
        Ok(granted)
    }

    async fn store(&self, directory: &Directory, deed: Deed<'_>, edit: Edit) -> Result<Summary, Error> {
        let (change, record) = deed.apply(directory, edit)?;
        let documents = change.documents.into_iter().map(stored).collect();
        self.0.facts.recording(vec![record.entry()]).change_documents(documents).await?;
        self.0.authority.replace(change.directory);
        Ok(change.summary)
    }

    /// Ends one token before its time, also across a restart. `why` is `signed out`, or who did it.
    pub async fn end(&self, caller: &Caller, source: Source, why: &str) -> Result<(), Error> {
        let (Some(token), Some(expires)) = (caller.token, caller.expires) else { return Ok(()) };
        let now = (self.0.now)();
        let record = Record::new(now, Activity::SignOut, "Boltseal/signOut/action")
            .actor(access::actor(caller))
            .source(source)
            .subject(Subject::new("/"))
            .outcome(Outcome::Success)
            .why(Why::rule(why));
        self.0.facts.recording(vec![record.entry()]).revoke(&token.to_string(), expires).await?;
        if self.0.authority.revoke(token, expires, now).is_err() {
            let all = vec![Edit::EndSessions { principal: caller.id }];
            self.edit_unasked(all, "too many tokens were ended one by one").await?;
        }
        Ok(())
    }
}

/// Who changes something, and why they may.
#[derive(Clone)]
struct Deed<'a> {
    by: &'a Caller,
    source: Source,
    why: Why,
    now: Timestamp,
}

impl Deed<'_> {
    /// What a change makes of the directory, and what the log says of it.
    fn apply(self, directory: &Directory, edit: Edit) -> Result<(Change, Record), EditError> {
        let activity = activity(&edit, directory);
        let change = directory.apply(edit, self.now)?;
        let summary = &change.summary;
        let subject = format!("/{}s/{}", summary.kind, summary.id);
        let mut record = Record::new(self.now, activity, action(summary).name())
            .actor(access::actor(self.by))
            .source(self.source)
            .subject(Subject::new(subject).name(summary.name.clone()))
            .outcome(Outcome::Success)
            .why(self.why)
            .detail("change", summary.verb);
        for (name, value) in [("before", &summary.before), ("after", &summary.after)] {
            if let Some(value) = value {
                record = record.detail(name, value.clone());
            }
        }
        Ok((change, record))
    }
}

/// What goes between the store and the directory.
fn token_id(text: &str) -> Option<TokenId> {
    hex::decode(text).ok()?.try_into().ok().map(TokenId::new)
}

fn document(stored: Document) -> Option<boltseal_identity::Document> {
    let Document { kind, id, body } = stored;
    body.map(|body| boltseal_identity::Document { kind, id, body })
}

fn stored(change: DocumentChange) -> Document {
    match change {
        DocumentChange::Put(document) => {
            Document { kind: document.kind, id: document.id, body: Some(document.body) }
        }
        DocumentChange::Delete { kind, id } => Document { kind: kind.to_owned(), id, body: None },
    }
}

fn activity(edit: &Edit, before: &Directory) -> Activity {
    match edit {
        Edit::SetCredentials { principal, credentials, .. } => {
            let before = before.principal(*principal).map(|principal| &principal.credentials);
            match (before.is_some_and(|before| before.totp.is_some()), credentials.totp.is_some()) {
                (false, true) => Activity::AddFactor,
                (true, false) => Activity::RemoveFactor,
                _ => Activity::ChangePassword,
            }
        }
        Edit::CreatePrincipal(_) => Activity::AddUser,
        Edit::UpdatePrincipal { disabled: Some(true), .. } => Activity::DisableUser,
        Edit::UpdatePrincipal { disabled: Some(false), .. } => Activity::EnableUser,
        Edit::UpdatePrincipal { .. } | Edit::EndSessions { .. } => Activity::ChangeUser,
        Edit::DeletePrincipal { .. } => Activity::RemoveUser,
        Edit::ChangeMembers { .. } | Edit::UpdateRole(_) | Edit::PutScopeMap(_) => Activity::Update,
        Edit::CreateRole(_) | Edit::PutFederation(_) => Activity::Create,
        Edit::DeleteRole { .. } | Edit::DeleteScopeMap { .. } | Edit::DeleteFederation { .. } => {
            Activity::Delete
        }
        Edit::Assign(_) => Activity::Grant,
        Edit::Unassign { .. } => Activity::Revoke,
    }
}

/// The action under which a change stands in the log.
fn action(summary: &Summary) -> Action {
    let deletes = summary.verb.ends_with("delete");
    match summary.kind {
        "role" if deletes => Action::RoleDelete,
        "role" => Action::RoleWrite,
        "assignment" if deletes => Action::AssignmentDelete,
        "assignment" => Action::AssignmentWrite,
        "scope-map" | "scope map" if deletes => Action::ScopeMapDelete,
        "scope-map" | "scope map" => Action::ScopeMapWrite,
        "federation" if deletes => Action::FederationDelete,
        "federation" => Action::FederationWrite,
        _ if deletes => Action::PrincipalDelete,
        _ => Action::PrincipalWrite,
    }
}
