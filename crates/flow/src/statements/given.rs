//! Signatures that somebody gives as files: bundles of sigstore and envelopes of Notary Project, for images that are in no
//! registry yet.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use boltseal_model::{Digest, FaultKind, Signature};
use boltseal_trust::{Authority, Evidence, Form, MAX_EVIDENCE};

use super::weigh;
use crate::Error;

/// Whose the signatures in `files` are, about an image that goes by `subjects`.
pub fn check_files(
    files: &[PathBuf],
    subjects: &[Digest],
    authorities: &[Authority],
) -> Result<Vec<Signature>, Error> {
    let mut found = Vec::new();
    for path in files {
        let bytes = read(path).map_err(|source| Error::Io { what: "reading", path: path.clone(), source })?;
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let (place, digest) = (format!("file {name}"), Digest::of(&bytes));
        let nothing = std::collections::BTreeMap::new();
        let evidence = Evidence { form: Form::of_bytes(&bytes), bytes: &bytes, annotations: &nothing };
        let weighed = |subject| weigh(&evidence, &digest, &place, subject, authorities).0;
        let mut all: Vec<Signature> = subjects.iter().map(weighed).collect();
        // Of an index or of the image: what is right for one of them is not wrong because it is not for the other.
        all.sort_by_key(|one| one.fault.as_ref().map(|fault| fault.kind == FaultKind::Bad));
        found.extend(all.into_iter().next());
    }
    Ok(found)
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_EVIDENCE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
