//! The file of a policy, with its signature and the files that it names: read, and watched for changes.

use std::{fs, os::unix::fs::MetadataExt as _, path::Path};

use boltseal_flow::{
    endorsed::{Endorsers, bundle_of},
    rules::{Rules, RulesError},
};
use boltseal_policy::{MAX_LIST, Policy};
use boltseal_server::{ActivePolicy, policies::Held};

use crate::given;

/// Bytes of a file that goes to other servers as it is: a list of revoked certificates may be the largest.
const MAX_FILE: usize = MAX_LIST;

/// Tells one state of a file from the next.
pub type Seen = (u64, u64, i64, i64);

/// The policy in the file at `path`, or the built-in one where there is no such file. Where a policy has to be signed, a file
/// that is gone is no way back to the built-in one.
pub fn read(path: &Path, endorsers: &Endorsers) -> Result<(ActivePolicy, Held), String> {
    let Rules { policy, text, .. } = match Rules::read(path) {
        Err(RulesError::Io { source, .. })
            if source.kind() == std::io::ErrorKind::NotFound && !endorsers.ask() =>
        {
            let Rules { policy, text, .. } = Rules::built_in();
            return Ok((ActivePolicy::of_file(policy, text), Held::default()));
        }
        read => read.map_err(|wrong| wrong.to_string())?,
    };
    let endorsed = endorsers
        .check(path, &policy)
        .map_err(|wrong| format!("{wrong}\n  next: {}", crate::commands::policy::SIGN))?;
    let signed_at = endorsed.and_then(|endorsed| endorsed.at);
    let whole = if endorsers.ask() { whole(path, &policy, &text)? } else { Held::default() };
    Ok((ActivePolicy { signed_at, ..ActivePolicy::of_file(policy, text) }, whole))
}

/// The same with all that belongs to it. Whoever takes it over looks at the signature again.
fn whole(path: &Path, policy: &Policy, text: &str) -> Result<Held, String> {
    let file = |path: &Path| given::bounded(path, MAX_FILE).map_err(|wrong| wrong.to_string());
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = policy.files().iter().map(|name| Ok((name.clone(), file(&folder.join(name))?)));
    let files = beside.collect::<Result<_, String>>()?;
    Ok(Held { text: text.to_owned(), files, bundle: Some(file(&bundle_of(path))?) })
}

/// The states of the policy's file, of its signature and of the files that it names.
pub fn all_seen(path: &Path, policy: &Policy) -> Vec<Option<Seen>> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside = policy.files().iter().map(|name| seen(&folder.join(name)));
    [seen(path), seen(&bundle_of(path))].into_iter().chain(beside).collect()
}

fn seen(path: &Path) -> Option<Seen> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.ino(), meta.len(), meta.mtime(), meta.mtime_nsec()))
}
