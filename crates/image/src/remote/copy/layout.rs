//! OCI image layouts as a place to copy from and to (image specification, "Image Layout").

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, OnceLock, PoisonError},
};

use boltseal_model::{Digest, Hasher};
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::place::{Role, kind_of};
use crate::{
    MAX_MANIFEST,
    blobs::bounded,
    manifest::{self, DOCKER_CONFIG, Descriptor, Document, Index, OCI_CONFIG, OCI_INDEX},
    remote::{Error, Fetched, uploads::Source},
    source::{
        files::{Files as _, Folder, open_regular},
        layout,
    },
};

/// The short name of an image in a layout.
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Referrers by subject.
type ReferrersBy = BTreeMap<Digest, Vec<Descriptor>>;

/// A folder with images.
#[derive(Debug)]
pub struct Layout {
    folder: PathBuf,
    /// Held while `index.json` changes.
    index: Mutex<()>,
    /// As they were when first asked for.
    referrers: OnceLock<ReferrersBy>,
}

impl Layout {
    /// The layout in `folder`, which need not exist.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), index: Mutex::new(()), referrers: OnceLock::new() }
    }

    pub(super) fn prepare(&self) -> Result<(), Error> {
        let blobs = self.folder.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(|error| Error::io(blobs.display().to_string(), error))?;
        if !self.folder.join("oci-layout").exists() {
            self.write("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
        }
        if !self.folder.join("index.json").exists() {
            let empty = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] });
            self.write("index.json", empty.to_string().as_bytes())?;
        }
        Ok(())
    }

    /// The image called so, or the only one.
    pub fn resolve(&self, wanted: Option<&str>) -> Result<Fetched, Error> {
        let index = self.listed()?;
        let missing = |wanted: &str| {
            Error::content(self.place(), layout::not_found(&self.files(), wanted, &index).to_string())
        };
        let found = match wanted {
            Some(wanted) => layout::named(&index, wanted).ok_or_else(|| missing(wanted))?,
            None => only(&index).ok_or_else(|| missing("(none given)"))?,
        };
        self.manifest(&found.digest)
    }

    /// What has the tag.
    pub fn tagged(&self, tag: &str) -> Result<Option<Digest>, Error> {
        if !self.folder.join("index.json").exists() {
            return Ok(None);
        }
        Ok(layout::named(&self.listed()?, tag).map(|found| found.digest.clone()))
    }

    pub(super) fn has(&self, digest: &Digest) -> Result<bool, Error> {
        match self.path(digest).metadata() {
            Ok(meta) => Ok(meta.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(Error::io(self.path(digest).display().to_string(), error)),
        }
    }

    /// Opens a blob. Its digest is not checked: that is for who reads it.
    pub fn blob(&self, digest: &Digest) -> Result<fs::File, Error> {
        match open_regular(&self.path(digest)) {
            Ok(Some((file, _))) => Ok(file),
            Ok(None) => Err(Error::content(self.place(), format!("has no blob {digest}"))),
            Err(error) => Err(Error::content(self.place(), error)),
        }
    }

    /// A manifest, with its digest checked.
    pub fn manifest(&self, digest: &Digest) -> Result<Fetched, Error> {
        let what = format!("manifest {digest} of {}", self.place());
        let bytes =
            bounded(self.blob(digest)?, MAX_MANIFEST, &what).map_err(|why| Error::content(&what, why))?;
        let digest = crate::remote::manifests::checked(&bytes, digest, &what)?;
        let mut fetched = Fetched { digest, media_type: String::new(), bytes };
        fetched.media_type = kind_of(&fetched)?;
        Ok(fetched)
    }

    /// What refers to `subject`: manifests that stand in `index.json`.
    pub fn referrers(&self, subject: &Digest) -> Result<Vec<Descriptor>, Error> {
        if self.referrers.get().is_none() {
            let mut all = ReferrersBy::new();
            for one in self.listed()?.manifests {
                let of = match self.manifest(&one.digest)?.document()? {
                    Document::Index(index) => index.subject,
                    Document::Manifest(manifest) => manifest.subject,
                };
                if let Some(of) = of {
                    all.entry(of.digest).or_default().push(one);
                }
            }
            let _ = self.referrers.set(all);
        }
        Ok(self.referrers.get().and_then(|all| all.get(subject)).cloned().unwrap_or_default())
    }

    pub(super) fn put_blob(&self, digest: &Digest, size: u64, source: &mut Source<'_>) -> Result<(), Error> {
        let what = format!("blob {digest}");
        let mut reader = source()?;
        let (mut file, mut hasher) = (self.temporary()?, Hasher::new(digest.algorithm()));
        let (mut at, mut buffer) = (0_u64, vec![0; 256 << 10]);
        loop {
            let read = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Error::of_read(&what, error)),
            };
            let bytes = buffer.get(..read).unwrap_or_default();
            at += read as u64;
            if at > size {
                return Err(Error::content(what, format!("has more than the {size} bytes it should have")));
            }
            hasher.update(bytes);
            file.write_all(bytes).map_err(|error| Error::io(self.place(), error))?;
        }
        let found = hasher.finish();
        if found != *digest {
            return Err(Error::digest(what, digest, found));
        }
        keep(file, &self.path(digest))
    }

    pub(super) fn put_manifest(&self, fetched: &Fetched, role: Role<'_>) -> Result<(), Error> {
        self.write_at(&self.path(&fetched.digest), &fetched.bytes)?;
        if !role.top {
            return Ok(());
        }
        let _held = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        let what = || format!("index.json of {}", self.place());
        let mut index: Value =
            serde_json::from_slice(&self.index_bytes()?).map_err(|why| Error::content(what(), why))?;
        let manifests = index
            .get_mut("manifests")
            .and_then(Value::as_array_mut)
            .ok_or_else(|| Error::content(what(), "has no `manifests`"))?;
        list(manifests, fetched, role.tag)?;
        self.write("index.json", index.to_string().as_bytes())
    }

    fn listed(&self) -> Result<Index, Error> {
        let what = format!("index.json of {}", self.place());
        match manifest::parse(&self.index_bytes()?, None).map_err(|why| Error::content(&what, why))? {
            Document::Index(index) => Ok(*index),
            Document::Manifest(_) => Err(Error::content(what, "is a manifest, not an index")),
        }
    }

    fn index_bytes(&self) -> Result<Vec<u8>, Error> {
        match self.files().document("index.json", MAX_MANIFEST) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(Error::content(self.place(), "has no index.json: it is not an OCI image layout")),
            Err(error) => Err(Error::content(self.place(), error)),
        }
    }

    fn files(&self) -> Folder {
        Folder(self.folder.clone())
    }

    fn place(&self) -> String {
        self.folder.display().to_string()
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.folder.join("blobs").join(digest.algorithm().name()).join(digest.hex())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        self.write_at(&self.folder.join(name), bytes)
    }

    fn write_at(&self, path: &Path, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.temporary()?;
        file.write_all(bytes).map_err(|error| Error::io(self.place(), error))?;
        keep(file, path)
    }

    fn temporary(&self) -> Result<NamedTempFile, Error> {
        NamedTempFile::new_in(&self.folder).map_err(|error| Error::io(self.place(), error))
    }
}

/// Gives a file its name once all of it is on the disk, readable for whoever may read the folder.
fn keep(file: NamedTempFile, path: &Path) -> Result<(), Error> {
    let failed = |error| Error::io(path.display().to_string(), error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    file.as_file().set_permissions(fs::Permissions::from_mode(0o644)).map_err(failed)?;
    file.as_file().sync_data().map_err(failed)?;
    file.persist(path).map(drop).map_err(|error| failed(error.error))
}

/// Without a name: the only image that refers to no other.
fn only(index: &Index) -> Option<&Descriptor> {
    let images = || index.manifests.iter().filter(|one| !one.is_attestation());
    let named = |one: &&Descriptor| one.annotations.contains_key(REF_NAME);
    let mut found: Vec<&Descriptor> = images().filter(named).collect();
    if found.is_empty() {
        found = images().collect();
    }
    found.dedup_by(|a, b| a.digest == b.digest);
    match found.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// Adds a manifest to the list of a layout. A tag stands for one manifest; the one that had it before leaves the list.
fn list(manifests: &mut Vec<Value>, fetched: &Fetched, tag: Option<&str>) -> Result<(), Error> {
    let mut entry = crate::remote::referrers::entry(&kind_of(fetched)?, &fetched.bytes, &fetched.digest)?;
    if let Some(fields) = entry.as_object_mut()
        && fields.get("artifactType").is_some_and(|kind| kind == OCI_CONFIG || kind == DOCKER_CONFIG)
    {
        fields.remove("artifactType"); // an image needs none; lists of referrers name its configuration
    }
    let digest = entry.get("digest").cloned();
    let name = |one: &Value| one.pointer(&format!("/annotations/{REF_NAME}")).cloned();
    let Some(tag) = tag else {
        if !manifests.iter().any(|one| one.get("digest") == digest.as_ref()) {
            manifests.push(entry);
        }
        return Ok(());
    };
    if let Some(fields) = entry.as_object_mut() {
        fields.insert("annotations".to_owned(), json!({ REF_NAME: tag }));
    }
    manifests.retain(|one| {
        let unnamed_same = one.get("digest") == digest.as_ref() && name(one).is_none();
        !unnamed_same && name(one) != Some(Value::String(tag.to_owned()))
    });
    manifests.push(entry);
    Ok(())
}
