//! Where published feeds lie: a folder, which may be served as plain files, or a repository of a registry.
//!
//! ```text
//! latest                 a signed note that names the newest index
//! blobs/ab/ab12…         the index and the chunks, by SHA-256
//! ```
//!
//! In a registry the chunks are the layers of an artifact, which a registry keeps once however many artifacts have
//! them, and the note is an annotation of its manifest.

use std::{
    collections::BTreeSet,
    error::Error as StdError,
    fs::{self, File},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use boltseal_image::remote::{Name, Repository};
use boltseal_model::Digest;
use boltseal_scan::pack::ChunkInfo;
use serde_json::{Value, json};

use super::note::MAX_NOTE_BYTES;

/// What went wrong, in the words of whoever keeps the files.
pub type ShelfError = Box<dyn StdError + Send + Sync>;

/// What the artifact is.
pub const ARTIFACT_TYPE: &str = "application/vnd.boltseal.feeds.v1";
const INDEX_TYPE: &str = "application/vnd.boltseal.feeds.index.v1+zstd";
const CHUNK_TYPE: &str = "application/vnd.boltseal.feeds.chunk.v1+zstd";
const NOTE: &str = "com.boltseal.feeds.note";

/// Registries take manifests of 4 MB; a layer takes 160 bytes of it.
const MAX_LAYERS: usize = 20_000;

/// Feeds that somebody published.
pub trait Shelf {
    /// Where that is, for messages.
    fn name(&self) -> String;

    /// The note that names the newest index.
    fn latest(&self) -> Result<Vec<u8>, ShelfError>;

    /// The index or a chunk, at most `limit` bytes. Whether they are what `digest` promises is for the caller to check.
    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, ShelfError>;
}

/// Where feeds can be published.
pub trait Press: Shelf {
    /// Keeps `bytes`; `false` if they were there already.
    fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, ShelfError>;

    /// Makes `index`, whose bytes and chunks are all there, the newest.
    fn announce(&self, note: &str, index: &ChunkInfo, chunks: &[ChunkInfo]) -> Result<(), ShelfError>;

    /// Removes what is not in `keep`, where that is the publisher's business.
    fn sweep(&self, keep: &BTreeSet<Digest>) -> Result<(), ShelfError> {
        let _ = keep;
        Ok(())
    }
}

/// A folder.
#[derive(Clone, Debug)]
pub struct Folder(pub PathBuf);

impl Folder {
    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.0.join("blobs").join(hex.get(..2).unwrap_or_default()).join(hex)
    }

    /// Whether there was ever anything here.
    pub(super) fn exists(&self) -> bool {
        self.0.join("latest").is_file()
    }
}

impl Shelf for Folder {
    fn name(&self) -> String {
        self.0.display().to_string()
    }

    fn latest(&self) -> Result<Vec<u8>, ShelfError> {
        Ok(read(&self.0.join("latest"), MAX_NOTE_BYTES)?)
    }

    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, ShelfError> {
        Ok(read(&self.path(digest), limit)?)
    }
}

impl Press for Folder {
    fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, ShelfError> {
        let path = self.path(digest);
        if read(&path, bytes.len() as u64).is_ok_and(|there| there == bytes) {
            return Ok(false);
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        write(&path, bytes)?;
        Ok(true)
    }

    fn announce(&self, note: &str, _: &ChunkInfo, _: &[ChunkInfo]) -> Result<(), ShelfError> {
        Ok(write(&self.0.join("latest"), note.as_bytes())?)
    }

    fn sweep(&self, keep: &BTreeSet<Digest>) -> Result<(), ShelfError> {
        let keep: BTreeSet<String> = keep.iter().map(Digest::hex).collect();
        for folder in fs::read_dir(self.0.join("blobs"))? {
            for blob in fs::read_dir(folder?.path())? {
                let blob = blob?;
                if !keep.contains(&*blob.file_name().to_string_lossy()) {
                    fs::remove_file(blob.path())?;
                }
            }
        }
        Ok(())
    }
}

/// One tag of a repository.
#[derive(Clone, Debug)]
pub struct Artifact {
    /// The repository.
    pub repository: Repository,
    /// The tag.
    pub tag: String,
}

impl Shelf for Artifact {
    fn name(&self) -> String {
        format!("{}:{}", self.repository, self.tag)
    }

    fn latest(&self) -> Result<Vec<u8>, ShelfError> {
        let manifest = self.repository.manifest(Name::Tag(&self.tag))?;
        let manifest: Value = serde_json::from_slice(&manifest.bytes)?;
        let note = manifest.pointer("/annotations").and_then(|annotations| annotations.get(NOTE)?.as_str());
        let note = note.ok_or("this is an artifact, but no feeds of Boltseal")?;
        Ok(note.as_bytes().to_vec())
    }

    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, ShelfError> {
        let mut bytes = Vec::new();
        self.repository.blob(digest, limit)?.take(limit).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Press for Artifact {
    fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, ShelfError> {
        let there = self.repository.head_blob(digest)?.is_some();
        if !there {
            self.repository.put_blob(bytes)?;
        }
        Ok(!there)
    }

    fn announce(&self, note: &str, index: &ChunkInfo, chunks: &[ChunkInfo]) -> Result<(), ShelfError> {
        let mut seen = BTreeSet::new();
        let layer = |info: &ChunkInfo, kind: &str| json!({ "mediaType": kind, "digest": info.digest, "size": info.bytes });
        let chunks = chunks.iter().filter(|chunk| seen.insert(&chunk.digest));
        let mut layers = vec![layer(index, INDEX_TYPE)];
        layers.extend(chunks.map(|chunk| layer(chunk, CHUNK_TYPE)));
        if layers.len() > MAX_LAYERS {
            return Err(format!("more than {MAX_LAYERS} chunks do not fit into a manifest").into());
        }
        let empty = b"{}";
        let config = json!({
            "mediaType": "application/vnd.oci.empty.v1+json",
            "digest": self.repository.put_blob(empty)?,
            "size": empty.len(),
        });
        let media_type = "application/vnd.oci.image.manifest.v1+json";
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": media_type,
            "artifactType": ARTIFACT_TYPE,
            "config": config,
            "layers": layers,
            "annotations": { NOTE: note },
        });
        self.repository.put_manifest(Name::Tag(&self.tag), media_type, &serde_json::to_vec(&manifest)?)?;
        Ok(())
    }
}

/// At most `limit` bytes; of a larger file nobody wants more.
fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // Others serve these files.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.as_file().set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}
