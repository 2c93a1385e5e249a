//! What goes into a build.

use std::{collections::BTreeMap, fs::File, io, path::Path, process::Command};

use boltseal_image::remote::Name;
use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_trust::Material;

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    exit::Failure,
};

/// Bytes that git may say about a repository.
const MAX_ANSWER: usize = 4096;

/// The source, as the user named it or as git knows it here, with the commit. With changes that are not committed, the
/// commit is not what was built, and is left out.
pub fn source(named: Option<&str>, materials: &mut Vec<Material>) -> Option<String> {
    let origin = || {
        let url = git(&["remote", "get-url", "origin"])?;
        // A password in it is nobody's business.
        let url = match (url.split_once("://"), url.find('@')) {
            (Some((scheme, rest)), Some(_)) => {
                format!("{scheme}://{}", rest.rsplit_once('@').map_or(rest, |(_, host)| host))
            }
            _ => url,
        };
        Some(if url.starts_with("http") { format!("git+{url}") } else { url })
    };
    let source = named.map(str::to_owned).or_else(origin)?;
    let clean = git(&["status", "--porcelain"]).is_some_and(|changes| changes.is_empty());
    let Some(commit) = git(&["rev-parse", "HEAD"]).filter(|_| clean) else { return Some(source) };
    let digest = BTreeMap::from([("gitCommit".to_owned(), commit.clone())]);
    materials.push(Material { uri: source.clone(), digest });
    Some(if source.contains('@') { source } else { format!("{source}@{commit}") })
}

/// What git answers, where it is there and this is a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    if !output.status.success() || output.stdout.len() > MAX_ANSWER {
        return None;
    }
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

/// An image that the build starts from.
pub fn base(text: &str, connection: &Connection, global: &Global) -> Result<Material, Failure> {
    let reference = image(text)?;
    let repository = connection.repository(&reference, global)?;
    let digest = repository.head(Name::of(&reference))?.digest;
    Ok(Material { uri: format!("docker://{reference}"), digest: digests(&digest) })
}

/// A file.
pub fn file(path: &Path) -> Result<Material, Failure> {
    let wrong = |why: io::Error| Failure::usage(format_args!("cannot read {}: {why}", path.display()));
    let mut file = File::open(path).map_err(wrong)?;
    let mut hashing = Hashing(Hasher::new(Algorithm::Sha256));
    io::copy(&mut file, &mut hashing).map_err(wrong)?;
    Ok(Material { uri: format!("file:{}", path.display()), digest: digests(&hashing.0.finish()) })
}

struct Hashing(Hasher);

impl io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn digests(digest: &Digest) -> BTreeMap<String, String> {
    BTreeMap::from([(digest.algorithm().name().to_owned(), digest.hex())])
}
