//! Trust stores: certificates under a kind and a name.

use std::collections::BTreeMap;

use super::TrustStatement;
use crate::x509::Certificate;

/// Certificates of one store. Those of all public authorities are about 150.
const MAX_CERTIFICATES: usize = 1000;

/// What certificates are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreKind {
    /// `ca`: of who signs with the scheme `notary.x509`.
    Authority,
    /// `signingAuthority`: of services that sign for others and vouch for the time.
    SigningAuthority,
    /// `tsa`: of clocks (RFC 3161).
    Clock,
}

/// Why something does not belong in a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trust store `{store}`: {why}")]
pub struct StoreError {
    /// Kind and name.
    pub store: String,
    /// What is wrong.
    pub why: String,
}

/// Stores that a trust policy names.
#[derive(Clone, Debug, Default)]
pub struct Stores(BTreeMap<(StoreKind, String), Vec<Certificate>>);

impl StoreKind {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Authority, "ca"), (Self::SigningAuthority, "signingAuthority"), (Self::Clock, "tsa")];

    /// As policies and folders have it.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }

    /// By its name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }

    /// Whether `name` can be that of a store; it is a folder on disks.
    pub fn is_store(name: &str) -> bool {
        !name.is_empty()
            && !name.starts_with("..")
            && name != "."
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
    }
}

impl Stores {
    /// Adds the certificates of a file: PEM or DER. Each must be of an authority or signed by itself, and of a clock's
    /// authority both.
    pub fn add(&mut self, kind: StoreKind, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let wrong = |why: String| StoreError { store: format!("{}:{name}", kind.name()), why };
        let found = Certificate::all(bytes).map_err(|why| wrong(format!("no certificate: {why}")))?;
        for one in &found {
            let own = one.is_self_signed();
            if !own && !one.is_authority() {
                let why = format!("`{}` is neither an authority nor signed by itself", one.subject());
                return Err(wrong(why));
            }
            if kind == StoreKind::Clock && !(own && one.is_authority()) {
                return Err(wrong(format!("`{}` is no root of an authority", one.subject())));
            }
        }
        let all = self.0.entry((kind, name.to_owned())).or_default();
        if all.len() + found.len() > MAX_CERTIFICATES {
            return Err(wrong(format!("more than {MAX_CERTIFICATES} certificates")));
        }
        all.extend(found);
        Ok(())
    }

    /// All certificates of `kind` that `statement` names.
    pub(super) fn of(&self, statement: &TrustStatement, kind: StoreKind) -> Result<Vec<Certificate>, String> {
        let mut all = Vec::new();
        for name in statement.stores_of(kind) {
            match self.0.get(&(kind, name.to_owned())) {
                Some(some) if !some.is_empty() => all.extend(some.iter().cloned()),
                _ => return Err(format!("the trust store `{}:{name}` is empty or missing", kind.name())),
            }
        }
        Ok(all)
    }
}
