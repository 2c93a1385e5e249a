//! A trust policy of Notary Project and its stores, in a folder as notation keeps them.
//!
//! ```text
//! trustpolicy.oci.json, or trustpolicy.json
//! truststore/x509/{ca,signingAuthority,tsa}/NAME/*.crt
//! revocation/*                                           lists of revoked certificates, answers of OCSP: notation asks for them
//! ```
//!
//! A policy names the same files one by one ([`Source::of`]), because it must be possible to send it somewhere else.
//!
//! Neither links nor folders are followed inside of a store: what is believed lies in plain sight.

use std::{fs, io::Read as _, path::Path, sync::Arc};

use boltseal_policy::Notary;
use boltseal_trust::{
    Revoked,
    notary::{Check, Document, StoreKind, Stores, Trust},
};

use crate::Error;

/// Bytes of one file. Lists of revoked certificates of large authorities have some 10 MB.
const MAX_FILE: u64 = 64 << 20;
/// Files of one folder. A file may have many certificates.
const MAX_FILES: usize = 1000;

/// Why nobody can be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the trust policy in {folder}: {why}")]
pub struct NotaryError {
    /// Which folder.
    pub folder: String,
    /// What is wrong with it.
    pub why: String,
}

/// A trust policy with all that it names.
#[derive(Clone)]
pub struct Source {
    document: Document,
    stores: Arc<Stores>,
    revoked: Arc<Revoked>,
}

impl Source {
    /// That of an authority of a policy, or why it is none.
    pub fn of(notary: &Notary) -> Result<Self, String> {
        let document = Document::parse(&notary.trust_policy).map_err(|why| why.to_string())?;
        let mut stores = Stores::default();
        for (name, files) in &notary.stores {
            let (kind, name) = store_of(name)?;
            for pem in files {
                stores.add(kind, name, pem.text.as_bytes()).map_err(|why| format!("{}: {why}", pem.file))?;
            }
        }
        let named: Vec<String> = document
            .statements()
            .iter()
            .flat_map(|one| one.stores().map(|(kind, name)| format!("{}:{name}", kind.name())))
            .collect();
        if let Some(missing) = named.iter().find(|name| !notary.stores.contains_key(*name)) {
            return Err(format!(
                "its trust policy names the store `{missing}`, and `stores` does not have it"
            ));
        }
        if let Some(unused) = notary.stores.keys().find(|name| !named.contains(name)) {
            return Err(format!("no statement of its trust policy names the store `{unused}`"));
        }
        let mut revoked = Revoked::default();
        for pem in &notary.revoked {
            revoked.add(pem.text.as_bytes()).map_err(|why| format!("{}: {why}", pem.file))?;
        }
        Ok(Self { document, stores: Arc::new(stores), revoked: Arc::new(revoked) })
    }

    /// Whose signatures of images in `repository`, named with its registry, count at a gate; `None` where it says nothing about
    /// that repository. Whatever level a statement has, whose a signature is must hold: an authority of a policy is somebody.
    pub fn trust(&self, repository: &str) -> Option<Trust> {
        let mut statement = self.document.of(repository)?.clone();
        statement.level = statement.level.enforcing(Check::Authenticity);
        Some(Trust { statement, stores: Arc::clone(&self.stores), revoked: Arc::clone(&self.revoked) })
    }
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({} statements)", self.document.statements().len())
    }
}

/// Kind and name of a store as trust policies write them.
fn store_of(text: &str) -> Result<(StoreKind, &str), String> {
    let parts = text.split_once(':').and_then(|(kind, name)| Some((StoreKind::of_name(kind)?, name)));
    parts
        .filter(|(_, name)| StoreKind::is_store(name))
        .ok_or_else(|| format!("`{text}` is no store: write ca:NAME, signingAuthority:NAME or tsa:NAME"))
}

/// Whose signatures of images in `repository`, named with its registry, are believed by the policy in `folder`. `None`
/// where it says nothing about that repository.
pub fn trust(folder: &Path, repository: &str) -> Result<Option<Trust>, Error> {
    read(folder, repository)
        .map_err(|why| Error::Notary(NotaryError { folder: folder.display().to_string(), why }))
}

fn read(folder: &Path, repository: &str) -> Result<Option<Trust>, String> {
    let policy = ["trustpolicy.oci.json", "trustpolicy.json"]
        .map(|name| folder.join(name))
        .into_iter()
        .find(|path| path.exists())
        .ok_or("there is no trustpolicy.oci.json and no trustpolicy.json")?;
    let text = String::from_utf8(plain(&policy)?).map_err(|_| "the policy is not UTF-8")?;
    let document = Document::parse(&text).map_err(|why| why.to_string())?;
    let Some(statement) = document.of(repository) else { return Ok(None) };
    let mut stores = Stores::default();
    for (kind, name) in statement.stores() {
        store(folder, kind, name, &mut stores)?;
    }
    let mut revoked = Revoked::default();
    let lists = folder.join("revocation");
    if lists.exists() {
        for (path, bytes) in files(&lists)? {
            revoked.add(&bytes).map_err(|why| format!("{path}: {why}"))?;
        }
    }
    Ok(Some(Trust { statement: statement.clone(), stores: Arc::new(stores), revoked: Arc::new(revoked) }))
}

fn store(folder: &Path, kind: StoreKind, name: &str, stores: &mut Stores) -> Result<(), String> {
    let path = folder.join("truststore/x509").join(kind.name()).join(name);
    let found = files(&path)?;
    if found.is_empty() {
        return Err(format!("{} is empty", path.display()));
    }
    for (path, bytes) in found {
        stores.add(kind, name, &bytes).map_err(|why| format!("{path}: {why}"))?;
    }
    Ok(())
}

/// The plain files of `folder`, in the order of their names.
fn files(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", folder.display());
    if !fs::symlink_metadata(folder).map_err(|why| wrong(&why))?.is_dir() {
        return Err(wrong(&"it is no folder, or a link to one"));
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(|why| wrong(&why))?.take(MAX_FILES + 1) {
        paths.push(entry.map_err(|why| wrong(&why))?.path());
    }
    if paths.len() > MAX_FILES {
        return Err(wrong(&format_args!("it has more than {MAX_FILES} files")));
    }
    paths.sort();
    paths.into_iter().map(|path| Ok((path.display().to_string(), plain(&path)?))).collect()
}

/// The bytes of a file that is one itself.
fn plain(path: &Path) -> Result<Vec<u8>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    if !fs::symlink_metadata(path).map_err(|why| wrong(&why))?.is_file() {
        return Err(wrong(&"it is no plain file"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|why| wrong(&why))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|why| wrong(&why))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(wrong(&format_args!("it has more than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}
