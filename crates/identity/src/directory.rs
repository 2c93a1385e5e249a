//! All principals, roles and assignments as one value that answers quickly and never changes.
//!
//! An edit makes another directory; whoever holds the old one goes on with it. What the store keeps are
//! [documents](Document); what is here is made from them at the start, and by [`apply`](Directory::apply) afterwards.

mod check;
mod groups;
mod index;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use boltseal_model::Timestamp;

use crate::{
    Action, Assignment, AssignmentId, Decision, Document, Error, Need, Principal, PrincipalId, Role, RoleId,
    Scope, ScopeMap, ScopePattern, document::kind, federation::Federation,
};

use index::Index;
pub(crate) use index::{Grant, reaches};

pub use check::{MAX_MEMBERS, MAX_REASON};
pub use groups::{MAX_GROUPS, MAX_NESTING};
pub use index::{MAX_CONDITIONAL, MAX_GRANTS};

/// Principals of a directory.
pub const MAX_PRINCIPALS: usize = 100_000;
/// Assignments of a directory: Azure allows 4,000 in a subscription.
pub const MAX_ASSIGNMENTS: usize = 100_000;
/// Custom roles of a directory, as in Azure.
pub const MAX_ROLES: usize = 5_000;
/// Scope maps of a directory.
pub const MAX_SCOPE_MAPS: usize = 10_000;

/// Who there is, and who may do what where.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(crate) facts: Facts,
    /// Names in lower case.
    names: HashMap<String, PrincipalId>,
    index: Arc<Index>,
}

/// Everything that was said, by id. Cheap to clone next to being edited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub principals: BTreeMap<PrincipalId, Arc<Principal>>,
    pub roles: BTreeMap<RoleId, Arc<Role>>,
    pub assignments: BTreeMap<AssignmentId, Arc<Assignment>>,
    pub scope_maps: BTreeMap<String, Arc<ScopeMap>>,
    /// By id.
    pub federations: Arc<[Federation]>,
}

impl Facts {
    /// What is in every directory.
    fn given() -> Self {
        let break_glass = Assignment {
            id: AssignmentId::BREAK_GLASS,
            principal: PrincipalId::BREAK_GLASS,
            role: RoleId::BREAK_GLASS,
            scope: ScopePattern::root(),
            condition: None,
            created: Timestamp::UNIX_EPOCH,
            by: PrincipalId::SYSTEM,
            expires: None,
            reason: "built in".to_owned(),
        };
        Self {
            principals: Principal::well_known()
                .into_iter()
                .map(|known| (known.id, Arc::new(known)))
                .collect(),
            roles: Role::built_in().iter().map(|role| (role.id, Arc::clone(role))).collect(),
            assignments: [(break_glass.id, Arc::new(break_glass))].into(),
            ..Self::default()
        }
    }
}

impl Directory {
    /// The directory in which nobody may do anything: the well-known principals and the built-in roles.
    pub fn empty() -> Result<Self, Error> {
        Self::of(Facts::given())
    }

    /// The directory that these documents describe. Anything that does not fit together is an error, because half a
    /// directory could grant what the whole one would not.
    pub fn from_documents(documents: Vec<Document>) -> Result<Self, Error> {
        let mut facts = Facts::given();
        let mut federations = BTreeMap::new();
        for document in documents {
            match document.kind.as_str() {
                kind::PRINCIPAL => {
                    let principal: Principal = document.read()?;
                    let id = principal.id;
                    add(&mut facts.principals, id, principal, &id, &document, "principal")?;
                }
                kind::ROLE => {
                    let role: Role = document.read()?;
                    let id = role.id;
                    add(&mut facts.roles, id, role, &id, &document, "role")?;
                }
                kind::ASSIGNMENT => {
                    let assignment: Assignment = document.read()?;
                    let id = assignment.id;
                    add(&mut facts.assignments, id, assignment, &id, &document, "assignment")?;
                }
                kind::SCOPE_MAP => {
                    let map: ScopeMap = document.read()?;
                    let name = map.name.clone();
                    add(&mut facts.scope_maps, name.clone(), map, &name, &document, "scope map")?;
                }
                kind::FEDERATION => {
                    let federation: Federation = document.read()?;
                    let id = federation.id;
                    add(&mut federations, id, federation, &id, &document, "federation")?;
                }
                _ => return Err(Error::UnknownKind { kind: document.kind, id: document.id }),
            }
        }
        facts.federations = federations.into_values().map(Arc::unwrap_or_clone).collect();
        Self::of(facts)
    }

    pub(crate) fn of(facts: Facts) -> Result<Self, Error> {
        let names = check::check(&facts)?;
        let index = Arc::new(Index::of(&facts)?);
        Ok(Self { facts, names, index })
    }

    /// Whether `principal` may do `action` at `scope`. Whoever is not known, or disabled, may do nothing.
    pub fn decide(&self, principal: PrincipalId, action: Action, scope: &Scope, now: Timestamp) -> Decision {
        self.index.decide(principal, &Need { action, scope: scope.clone().into(), role: None }, now)
    }

    /// Whether `principal` may do what an edit [needs](Self::needs).
    pub fn permits(&self, principal: PrincipalId, need: &Need, now: Timestamp) -> Decision {
        self.index.decide(principal, need, now)
    }

    /// A principal by its id.
    pub fn principal(&self, id: PrincipalId) -> Option<&Principal> {
        self.facts.principals.get(&id).map(AsRef::as_ref)
    }

    /// A principal by its name; case does not matter.
    pub fn principal_named(&self, name: &str) -> Option<&Principal> {
        self.principal(*self.names.get(&name.to_ascii_lowercase())?)
    }

    /// All principals, the well-known ones too, by id.
    pub fn principals(&self) -> impl Iterator<Item = &Principal> {
        self.facts.principals.values().map(AsRef::as_ref)
    }

    /// The groups that a principal is in, directly and through other groups, by name; not the disabled ones.
    pub fn groups_of(&self, principal: PrincipalId) -> impl Iterator<Item = &Principal> {
        self.index.groups_of(principal).iter().filter_map(|id| self.principal(*id))
    }

    /// A role by its id.
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.facts.roles.get(&id).map(AsRef::as_ref)
    }

    /// A role by its name; case does not matter.
    pub fn role_named(&self, name: &str) -> Option<&Role> {
        self.roles().find(|role| role.name.eq_ignore_ascii_case(name))
    }

    /// All roles, built-in ones too, by id.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        self.facts.roles.values().map(AsRef::as_ref)
    }

    /// An assignment by its id.
    pub fn assignment(&self, id: AssignmentId) -> Option<&Assignment> {
        self.facts.assignments.get(&id).map(AsRef::as_ref)
    }

    /// All assignments, by id.
    pub fn assignments(&self) -> impl Iterator<Item = &Assignment> {
        self.facts.assignments.values().map(AsRef::as_ref)
    }

    /// A scope map by its name.
    pub fn scope_map(&self, name: &str) -> Option<&ScopeMap> {
        self.facts.scope_maps.get(name).map(AsRef::as_ref)
    }

    /// All scope maps, by name.
    pub fn scope_maps(&self) -> impl Iterator<Item = &ScopeMap> {
        self.facts.scope_maps.values().map(AsRef::as_ref)
    }

    /// Whose tokens are trusted, by id: the table for [`match_token`](crate::federation::match_token).
    pub fn federations(&self) -> &[Federation] {
        &self.facts.federations
    }

    /// Everything that the store keeps.
    pub fn documents(&self) -> Result<Vec<Document>, Error> {
        let Facts { principals, roles, assignments, scope_maps, federations } = &self.facts;
        let mut all = Vec::new();
        for principal in principals.values().filter(|principal| !principal.id.is_well_known()) {
            all.push(Document::of(kind::PRINCIPAL, &principal.id, principal.as_ref())?);
        }
        for role in roles.values().filter(|role| !role.built_in) {
            all.push(Document::of(kind::ROLE, &role.id, role.as_ref())?);
        }
        for assignment in assignments.values().filter(|assignment| assignment.id != AssignmentId::BREAK_GLASS)
        {
            all.push(Document::of(kind::ASSIGNMENT, &assignment.id, assignment.as_ref())?);
        }
        for map in scope_maps.values() {
            all.push(Document::of(kind::SCOPE_MAP, &map.name, map.as_ref())?);
        }
        for federation in federations.iter() {
            all.push(Document::of(kind::FEDERATION, &federation.id, federation)?);
        }
        Ok(all)
    }

    pub(crate) fn index(&self) -> &Index {
        &self.index
    }
}

/// Adds a fact, unless it is there already or its document carries another id.
fn add<K: Ord, V>(
    facts: &mut BTreeMap<K, Arc<V>>,
    key: K,
    value: V,
    id: &impl ToString,
    document: &Document,
    what: &'static str,
) -> Result<(), Error> {
    let id = id.to_string();
    if id != document.id {
        return Err(Error::Misfiled { kind: document.kind.clone(), id: document.id.clone(), found: id });
    }
    if facts.insert(key, Arc::new(value)).is_some() {
        return Err(Error::Exists { kind: what, id });
    }
    Ok(())
}
