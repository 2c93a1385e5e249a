//! Trust policies (`trust-store-trust-policy.md`): which images are checked how strictly, and whose signatures count.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::StoreKind;
use crate::{Unfit, x509::DistinguishedName};

/// Statements of one document.
const MAX_STATEMENTS: usize = 1000;
/// Bytes of a document: room for that many statements with some scopes each.
const MAX_DOCUMENT: usize = 4 << 20;
/// Any image, or anybody.
const WILDCARD: &str = "*";

/// Why a document is no trust policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("the trust policy cannot be read: {0}")]
    Malformed(String),
    /// A statement says something that makes no sense.
    #[error("the statement `{statement}` of the trust policy {why}")]
    Statement {
        /// Its name.
        statement: String,
        /// What is wrong.
        why: String,
    },
}

/// A trust policy for images.
#[derive(Clone, Debug)]
pub struct Document(Vec<TrustStatement>);

/// Whose signatures of which images count.
#[derive(Clone, Debug)]
pub struct TrustStatement {
    /// What people call it.
    pub name: String,
    /// Repositories, with their registry; or all that no other statement has.
    pub(super) scopes: Vec<String>,
    /// How strictly.
    pub level: Level,
    /// Whether a clock must have seen it.
    pub verify_timestamp: VerifyTimestamp,
    pub(super) stores: Vec<(StoreKind, String)>,
    /// Who; `None` is anybody with a certificate of the stores.
    pub(super) identities: Option<Vec<DistinguishedName>>,
}

/// When a signature needs the time of a clock. Only where the policy has a store of clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VerifyTimestamp {
    /// Always.
    #[default]
    Always,
    /// Once its certificates are no longer valid.
    AfterCertExpiry,
}

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Check {
    /// That the signature is right. It always is checked.
    Integrity,
    /// Whose it is.
    Authenticity,
    /// That it was made while its certificates were valid.
    AuthenticTimestamp,
    /// Its "best before".
    Expiry,
    /// That nobody took its certificates back.
    Revocation,
}

/// What comes of a check that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Action {
    /// The signature is refused.
    Enforce,
    /// It is told.
    Log,
    /// Nothing: it is not checked.
    Skip,
}

/// How strictly signatures are verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    base: Base,
    changed: BTreeMap<Check, Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Base {
    Strict,
    Permissive,
    Audit,
    Skip,
}

impl Level {
    /// What comes of it where `check` fails.
    pub fn action(&self, check: Check) -> Action {
        if let Some(changed) = self.changed.get(&check) {
            return *changed;
        }
        match (self.base, check) {
            (Base::Skip, _) => Action::Skip,
            (_, Check::Integrity) | (Base::Strict, _) | (Base::Permissive, Check::Authenticity) => {
                Action::Enforce
            }
            (Base::Permissive | Base::Audit, _) => Action::Log,
        }
    }

    /// The same, which refuses where `check` fails; one that skips everything still does.
    #[must_use]
    pub fn enforcing(mut self, check: Check) -> Self {
        if !self.skips() {
            self.changed.insert(check, Action::Enforce);
        }
        self
    }

    /// Whether nothing at all is verified.
    pub const fn skips(&self) -> bool {
        matches!(self.base, Base::Skip)
    }

    /// Refuses for `result`, or notes it, as the level says.
    pub(super) fn take(
        &self,
        check: Check,
        result: Result<(), Unfit>,
        remarks: &mut Vec<String>,
    ) -> Result<(), Unfit> {
        let Err(why) = result else { return Ok(()) };
        match self.action(check) {
            Action::Enforce => Err(why),
            Action::Log => {
                remarks.push(format!("the trust policy lets it pass: {why}"));
                Ok(())
            }
            Action::Skip => Ok(()),
        }
    }
}

impl TrustStatement {
    /// Whether it says where to find clocks.
    pub(super) fn has_clock(&self) -> bool {
        self.stores.iter().any(|(kind, _)| *kind == StoreKind::Clock)
    }

    /// Names of its stores of `kind`.
    pub(super) fn stores_of(&self, kind: StoreKind) -> impl Iterator<Item = &str> {
        self.stores.iter().filter(move |(one, _)| *one == kind).map(|(_, name)| name.as_str())
    }

    pub(super) fn stores_told(&self, kind: StoreKind) -> String {
        let named: Vec<String> = self.stores_of(kind).map(|name| format!("{}:{name}", kind.name())).collect();
        if named.is_empty() {
            format!("it names none of the kind `{}`", kind.name())
        } else {
            named.join(", ")
        }
    }

    /// All stores that it names: whoever reads them from files needs no others.
    pub fn stores(&self) -> impl Iterator<Item = (StoreKind, &str)> {
        self.stores.iter().map(|(kind, name)| (*kind, name.as_str()))
    }
}

/// What is not known is refused: a misspelt `override` would otherwise be none.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shape {
    version: String,
    trust_policies: Vec<StatementShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct StatementShape {
    name: String,
    #[serde(default)]
    registry_scopes: Vec<String>,
    signature_verification: Verification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Verification {
    level: Base,
    #[serde(default, rename = "override")]
    changed: BTreeMap<Check, Action>,
    #[serde(default)]
    verify_timestamp: VerifyTimestamp,
}

impl Document {
    /// Reads the text of `trustpolicy.oci.json`, or of `trustpolicy.json` of older programs.
    pub fn parse(json: &str) -> Result<Self, PolicyError> {
        if json.len() > MAX_DOCUMENT {
            return Err(PolicyError::Malformed(format!("more than {MAX_DOCUMENT} bytes")));
        }
        let shape: Shape =
            serde_json::from_str(json).map_err(|error| PolicyError::Malformed(error.to_string()))?;
        if shape.version != "1.0" {
            return Err(PolicyError::Malformed(format!("its version is `{}`, not `1.0`", shape.version)));
        }
        let count = shape.trust_policies.len();
        if count == 0 || count > MAX_STATEMENTS {
            return Err(PolicyError::Malformed(format!("it has {count} statements")));
        }
        let mut all: Vec<TrustStatement> = Vec::new();
        for shape in shape.trust_policies {
            let name = shape.name.clone();
            let wrong = |why| PolicyError::Statement { statement: name.clone(), why };
            let statement = read(shape).map_err(wrong)?;
            if all.iter().any(|other| other.name == statement.name) {
                return Err(wrong("has the name of another".to_owned()));
            }
            let mut scopes = all.iter().flat_map(|other| &other.scopes);
            if let Some(twice) = scopes.find(|scope| statement.scopes.contains(scope)) {
                return Err(wrong(format!("has the scope `{twice}` of another")));
            }
            all.push(statement);
        }
        Ok(Self(all))
    }

    /// Every statement, in the order of the document.
    pub fn statements(&self) -> &[TrustStatement] {
        &self.0
    }

    /// The statement for images in `repository`, which is named with its registry; nobody's signatures count without one.
    pub fn of(&self, repository: &str) -> Option<&TrustStatement> {
        let with = |wanted: &str| {
            self.0.iter().find(|statement| statement.scopes.iter().any(|scope| scope == wanted))
        };
        with(repository).or_else(|| with(WILDCARD))
    }
}

fn read(shape: StatementShape) -> Result<TrustStatement, String> {
    if shape.name.is_empty() {
        return Err("has no name".to_owned());
    }
    let scopes = scopes(shape.registry_scopes)?;
    let level = level(&shape.signature_verification)?;
    let bare = shape.trust_stores.is_empty() && shape.trusted_identities.is_empty();
    if level.skips() && !bare {
        return Err("skips verification, and names stores or identities all the same".to_owned());
    }
    if !level.skips() && (shape.trust_stores.is_empty() || shape.trusted_identities.is_empty()) {
        return Err("names no trust stores or no trusted identities".to_owned());
    }
    Ok(TrustStatement {
        name: shape.name,
        scopes,
        level,
        verify_timestamp: shape.signature_verification.verify_timestamp,
        stores: shape.trust_stores.iter().map(|store| self::store(store)).collect::<Result<_, _>>()?,
        identities: identities(&shape.trusted_identities)?,
    })
}

fn scopes(scopes: Vec<String>) -> Result<Vec<String>, String> {
    if scopes.is_empty() {
        return Err("has no scope".to_owned());
    }
    if scopes.len() > 1 && scopes.iter().any(|scope| scope == WILDCARD) {
        return Err("has the scope `*` beside others".to_owned());
    }
    let broken = |scope: &String| {
        *scope != WILDCARD
            && (scope.contains(['*', '@', ' '])
                || scope.split_once('/').is_none_or(|(host, path)| host.is_empty() || path.is_empty()))
    };
    match scopes.iter().find(|scope| broken(scope)) {
        Some(scope) => Err(format!("has the scope `{scope}`, which is no registry with a repository")),
        None => Ok(scopes),
    }
}

fn level(shape: &Verification) -> Result<Level, String> {
    let changed = shape.changed.clone();
    if shape.level == Base::Skip && !changed.is_empty() {
        return Err("skips verification, and overrides it all the same".to_owned());
    }
    for (check, action) in &changed {
        match (check, action) {
            (Check::Integrity, _) => return Err("overrides `integrity`, which nobody may".to_owned()),
            (Check::Revocation, _) | (_, Action::Enforce | Action::Log) => {}
            (_, Action::Skip) => return Err(format!("skips {check:?}: only revocation may be skipped")),
        }
    }
    Ok(Level { base: shape.level, changed })
}

fn store(text: &str) -> Result<(StoreKind, String), String> {
    let broken =
        || format!("names the trust store `{text}`: write ca:NAME, signingAuthority:NAME or tsa:NAME");
    let (kind, name) = text.split_once(':').ok_or_else(broken)?;
    let kind = StoreKind::of_name(kind).ok_or_else(broken)?;
    if StoreKind::is_store(name) { Ok((kind, name.to_owned())) } else { Err(broken()) }
}

fn identities(texts: &[String]) -> Result<Option<Vec<DistinguishedName>>, String> {
    if texts.iter().any(|text| text == WILDCARD) {
        let alone = texts.len() == 1;
        return if alone { Ok(None) } else { Err("trusts anybody (`*`) beside others".to_owned()) };
    }
    let mut names: Vec<DistinguishedName> = Vec::new();
    for text in texts {
        let name = text.split_once(':').filter(|(kind, _)| *kind == "x509.subject");
        let (_, name) = name.ok_or_else(|| format!("trusts `{text}`: only `x509.subject: …` is known"))?;
        let name = DistinguishedName::parse(name.trim()).map_err(|why| format!("trusts `{text}`: {why}"))?;
        if names.iter().any(|other| other.is_part_of(&name) || name.is_part_of(other)) {
            return Err(format!("trusts `{text}`, which is a part of another identity"));
        }
        names.push(name);
    }
    Ok(Some(names))
}
