//! Whose policies are used: holders of keys, and identities of a sigstore instance, as arguments of commands.
//!
//! The same for a file that is checked (`--signed-by`) and for a server (`--policy-signed-by`), whose arguments say that they are about
//! the policy.

use std::path::{Path, PathBuf};

use boltseal_flow::endorsed::Endorsers;
use boltseal_trust::MAX_KEY_FILE;

use crate::{exit::Failure, given, signing::root};

/// Who must have signed a file.
#[derive(Debug, clap::Args)]
pub struct SignedBy {
    /// Public key in PEM: each policy must be signed by its holder. May be given several times, for one of several
    #[arg(id = "signed_by", long = "signed-by", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Each policy may also be signed by this identity, without a key: an address or a URI. May be given several times
    #[arg(
        id = "signed_by_identity",
        long = "signed-by-identity",
        value_name = "IDENTITY",
        requires_all = ["signed_by_issuer", "signed_by_root"]
    )]
    identities: Vec<String>,
    /// Who vouches for these identities
    #[arg(
        id = "signed_by_issuer",
        long = "signed-by-issuer",
        value_name = "URL",
        requires = "signed_by_identity"
    )]
    issuer: Option<String>,
    /// Certificates, logs and clocks of their sigstore instance: its `trusted_root.json`
    #[arg(
        id = "signed_by_root",
        long = "trusted-root",
        value_name = "FILE",
        requires = "signed_by_identity"
    )]
    root: Option<PathBuf>,
}

/// Who must have signed the policy of a server.
#[derive(Debug, clap::Args)]
#[group(id = "policy_signers", multiple = true)]
pub struct PolicySignedBy {
    /// Public key in PEM: use a policy only if its holder signed it (`boltseal policy sign`). May be given several times, for one
    /// of several
    #[arg(id = "policy_signed_by", long = "policy-signed-by", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Use a policy only if this identity signed it, without a key: an address or a URI. May be given several times, and beside
    /// keys, for one of all
    #[arg(
        id = "policy_signed_by_identity",
        long = "policy-signed-by-identity",
        value_name = "IDENTITY",
        requires_all = ["policy_signed_by_issuer", "policy_trusted_root"]
    )]
    identities: Vec<String>,
    /// Who vouches for these identities
    #[arg(
        id = "policy_signed_by_issuer",
        long = "policy-signed-by-issuer",
        value_name = "URL",
        requires = "policy_signed_by_identity"
    )]
    issuer: Option<String>,
    /// Certificates, logs and clocks of their sigstore instance: its `trusted_root.json`
    #[arg(
        id = "policy_trusted_root",
        long = "policy-trusted-root",
        value_name = "FILE",
        requires = "policy_signed_by_identity"
    )]
    root: Option<PathBuf>,
}

impl SignedBy {
    /// All of them.
    pub fn endorsers(&self) -> Result<Endorsers, Failure> {
        endorsers(&self.keys, &self.identities, self.issuer.as_deref().zip(self.root.as_deref()))
    }
}

impl PolicySignedBy {
    /// All of them.
    pub fn endorsers(&self) -> Result<Endorsers, Failure> {
        endorsers(&self.keys, &self.identities, self.issuer.as_deref().zip(self.root.as_deref()))
    }
}

/// Holders of the public keys in these files, and these identities by who vouches for them.
fn endorsers(
    keys: &[PathBuf],
    identities: &[String],
    vouches: Option<(&str, &Path)>,
) -> Result<Endorsers, Failure> {
    let read = |path: &PathBuf| Ok((path.display().to_string(), given::bounded(path, MAX_KEY_FILE)?));
    let keys = keys.iter().map(read).collect::<Result<Vec<_>, Failure>>()?;
    let holders = Endorsers::new(keys).map_err(Failure::usage)?;
    match vouches {
        Some((issuer, file)) => {
            holders.with_identities(identities, issuer, &root(file)?).map_err(Failure::usage)
        }
        None => Ok(holders),
    }
}
