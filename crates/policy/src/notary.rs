//! An authority that is a trust policy of Notary Project: `notary:` of an entry of `authorities:`.
//!
//! ```yaml
//! authorities:
//!   - name: acme
//!     notary:
//!       trust_policy: trustpolicy.json
//!       stores: { "ca:acme": [acme-root.crt], "tsa:clocks": [clock.crt] }
//!       revoked: [acme.crl.pem]
//! ```
//!
//! Every file is named, so that the digest of the policy stands for all that is believed, and a policy can be sent somewhere else with
//! them. Whether they are what they should be, only who verifies with them can tell.

use std::collections::BTreeMap;

use boltseal_model::Digest;
use serde::Deserialize;

use crate::{
    authority::MAX_FILE,
    text::{Line, listed},
};

/// Stores of one trust policy: one for every team and every clock of a company.
const MAX_STORES: usize = 50;
/// Files of one authority. Each may have many certificates.
const MAX_FILES: usize = 200;
/// Bytes of a list of revoked certificates, in PEM: half a million of them.
pub const MAX_LIST: usize = 24 << 20;
/// More stores than this in one sentence are counted instead.
const SHOWN: usize = 6;

/// A trust policy of Notary Project with what it needs, as texts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notary {
    /// The name of the file of the trust policy.
    pub file: String,
    /// Its text, in JSON.
    pub trust_policy: String,
    /// Certificates in PEM, by the kind and the name of their store as trust policies write it: `ca:acme`.
    pub stores: BTreeMap<String, Vec<Pem>>,
    /// Lists of revoked certificates and answers of OCSP, in PEM.
    pub revoked: Vec<Pem>,
}

/// A file in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pem {
    /// Its name beside the policy.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// `notary:`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotaryFile {
    trust_policy: Line,
    stores: BTreeMap<String, Vec<Line>>,
    #[serde(default)]
    revoked: Vec<Line>,
}

impl NotaryFile {
    /// With the texts of its files, which `read` gives by their names, each with the bytes that it may have.
    pub(crate) fn compile(
        self,
        read: &mut dyn FnMut(&str, usize) -> Result<String, String>,
    ) -> Result<Notary, String> {
        let number = self.stores.values().map(Vec::len).sum::<usize>() + self.revoked.len();
        if self.stores.len() > MAX_STORES || number > MAX_FILES {
            return Err(format!("`notary` names more than {MAX_STORES} stores or {MAX_FILES} files"));
        }
        let mut pem = |Line(file): Line, most| read(&file, most).map(|text| Pem { file, text });
        let mut stores = BTreeMap::new();
        for (name, files) in self.stores {
            if files.is_empty() {
                return Err(format!("the store `{name}` names no file: it would believe nobody"));
            }
            stores.insert(name, files.into_iter().map(|file| pem(file, MAX_FILE)).collect::<Result<_, _>>()?);
        }
        let revoked = self.revoked.into_iter().map(|file| pem(file, MAX_LIST)).collect::<Result<_, _>>()?;
        let Line(file) = self.trust_policy;
        let trust_policy = read(&file, MAX_FILE)?;
        Ok(Notary { file, trust_policy, stores, revoked })
    }
}

impl Notary {
    /// Who it is, in one sentence by which one can be told from another.
    pub(crate) fn words(&self) -> String {
        let digest = Digest::of(self.trust_policy.as_bytes());
        let stores: Vec<&str> = self.stores.keys().map(String::as_str).collect();
        let short: String = digest.to_string().chars().take("sha256:".len() + 12).collect();
        format!(
            "is whom the trust policy {} of Notary Project believes ({short}), with {}",
            self.file,
            listed(&stores, SHOWN)
        )
    }
}
