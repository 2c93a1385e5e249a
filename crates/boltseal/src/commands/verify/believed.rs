//! Whom the user believes.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use boltseal_flow::notary::trust;
use boltseal_model::Timestamp;
use boltseal_trust::{Authority, Clocks, Pattern, Root, Who};

use crate::{exit::Failure, given};

/// Who is believed.
#[derive(Debug, clap::Args)]
pub struct Believed {
    /// Believe the holder of this key: the public half in PEM; may be given more than once
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Believe this identity: an address or a URI
    #[arg(long, value_name = "IDENTITY", conflicts_with = "certificate_identity_regexp")]
    certificate_identity: Option<String>,
    /// Believe identities that match as a whole
    #[arg(long, value_name = "PATTERN")]
    certificate_identity_regexp: Option<String>,
    /// Who vouches for the identity
    #[arg(long, value_name = "URL", conflicts_with = "certificate_oidc_issuer_regexp")]
    certificate_oidc_issuer: Option<String>,
    /// Who may vouch for the identity: all of it matches
    #[arg(long, value_name = "PATTERN")]
    certificate_oidc_issuer_regexp: Option<String>,
    /// Certificates, logs and clocks of a sigstore instance: its `trusted_root.json`
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Clocks whose word counts about when a key signed: their certificates up to the root, in PEM
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with = "trusted_root")]
    clocks: Option<PathBuf>,
    /// Believe whom this policy believes, by the names and with the limits that its `authorities` have
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Believe whom a trust policy of Notary Project believes: a folder with `trustpolicy.json` and `truststore`, as notation
    /// has it, and perhaps `revocation` with lists of revoked certificates (CRL) and answers of OCSP
    #[arg(long, value_name = "DIR")]
    notary: Option<PathBuf>,
}

impl Believed {
    /// All of them. `repository` is that of the image with its registry, where it has one.
    pub fn authorities(&self, repository: Option<&str>) -> Result<Vec<Authority>, Failure> {
        let root = match &self.trusted_root {
            Some(path) => Some(Arc::new(Root::parse(&read(path)?).map_err(|why| wrong(path, &why))?)),
            None => None,
        };
        let clocks = match &self.clocks {
            Some(path) => Some(Arc::new(read(path)?.parse::<Clocks>().map_err(|why| wrong(path, &why))?)),
            None => None,
        };
        let mut all = Vec::new();
        for path in &self.key {
            let key = read(path)?.parse().map_err(|why| wrong(path, &why))?;
            let who = Who::Key { key, root: root.clone(), clocks: clocks.clone() };
            all.push(Authority::new(path.display().to_string(), who));
        }
        all.extend(self.identity(root)?);
        if let Some(folder) = &self.notary {
            all.push(notary(folder, repository)?);
        }
        if let Some(path) = &self.policy {
            let name = repository.and_then(|repository| repository.parse().ok());
            all.extend_from_slice(&given::rules(path)?.believed.about(name.as_ref(), Timestamp::now()));
        }
        if all.is_empty() {
            return Err(Failure::usage("nobody is believed").next(
                "give --key FILE, or --certificate-identity and the others, or --notary DIR, or --policy FILE",
            ));
        }
        Ok(all)
    }

    fn identity(&self, root: Option<Arc<Root>>) -> Result<Option<Authority>, Failure> {
        let subject = pattern(self.certificate_identity.as_ref(), self.certificate_identity_regexp.as_ref())?;
        let issuer =
            pattern(self.certificate_oidc_issuer.as_ref(), self.certificate_oidc_issuer_regexp.as_ref())?;
        match (subject, issuer) {
            (Some(subject), Some(issuer)) => {
                let root = root.ok_or_else(|| {
                    Failure::usage("an identity needs somebody who vouches for its certificate")
                        .next("give --trusted-root FILE: the `trusted_root.json` of the sigstore instance")
                })?;
                let who = Who::Identity { subject, issuer, root };
                Ok(Some(Authority::new("identity", who)))
            }
            (None, None) => Ok(None),
            _ => Err(Failure::usage("an identity is believed only together with who vouches for it")
                .next("give both --certificate-identity and --certificate-oidc-issuer")),
        }
    }
}

fn notary(folder: &Path, repository: Option<&str>) -> Result<Authority, Failure> {
    let repository = repository.ok_or_else(|| {
        Failure::usage("a trust policy is about repositories, and a digest is in none")
            .next("write REGISTRY/REPOSITORY@DIGEST")
    })?;
    let trust = trust(folder, repository)?.ok_or_else(|| {
        let told = format!("the trust policy in {} says nothing about {repository}", folder.display());
        Failure::usage(told).next("add a statement with it in `registryScopes`, or with `*`")
    })?;
    let name = trust.statement.name.clone();
    Ok(Authority::new(name, Who::Notary { trust: Arc::new(trust), now: Timestamp::now() }))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| wrong(path, &error))
}

fn wrong(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format_args!("{}: {why}", path.display()))
}

fn pattern(exact: Option<&String>, matching: Option<&String>) -> Result<Option<Pattern>, Failure> {
    match (exact, matching) {
        (Some(exact), _) => Ok(Some(Pattern::Exact(exact.clone()))),
        (None, Some(matching)) => Pattern::anchored(matching).map(Some).map_err(Failure::usage),
        (None, None) => Ok(None),
    }
}
