//! Everything that is seen in an image while its layers stream by once.
//!
//! [`look`] opens an image with several pairs of eyes: ecosystems keep what names packages; every text is shown to
//! `check::secret`; executables are hashed, so that those that nobody answers for can be listed and known malware told;
//! unusual permissions and what package managers left behind are noted. What comes out is a [`Catalog`].
//!
//! Values of credentials are never kept: a [`Leak`](boltseal_model::Leak) says where to look, and, where a key is given, by
//! what the same credential is recognised in other places and images. Without a key, as on the command line, there are no
//! fingerprints: under a key of the moment the same image would give another report every time.

mod leaks;
mod making;
mod malware;
mod remark;

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
};

pub use boltseal_check::{
    malware::{Hashes, HashesError},
    secret::{Finder, FingerprintKey, Rules, RulesError},
};
use boltseal_ecosystem::{Everything, accounted};
use boltseal_image::Image;
use boltseal_model::{Catalog, Digest, FileMeta, Selector, Text, Want};

use self::{
    leaks::{Eye, Found},
    malware::Seen,
    remark::{Remark, Spot},
};

pub use self::leaks::MAX_LEAKS;

/// Setuid, setgid, and writable for everybody.
const UNUSUAL: u32 = 0o6002;

static FINDER: LazyLock<Finder> = LazyLock::new(Finder::new);

/// What to look for besides packages. The default is what is built in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Looking<'a> {
    /// Rules for credentials; `None` takes the built-in ones.
    pub finder: Option<&'a Finder>,
    /// Hashes of malware.
    pub malware: Option<&'a Hashes>,
    /// Makes of credentials what they are recognised by elsewhere. A cache of layers must be [of this
    /// key](crate::Cache::recognising).
    pub fingerprints: Option<&'a FingerprintKey>,
    /// Look into no texts: then nobody looks for credentials, and few files of a layer are wanted.
    pub without_texts: bool,
}

impl Looking<'_> {
    /// Whether it is what is built in, so that what was seen before is what would be seen again.
    pub const fn is_default(&self) -> bool {
        self.finder.is_none() && self.malware.is_none() && self.fingerprints.is_none() && !self.without_texts
    }
}

/// Opens an image by `open`, which is handed what to look for, and says what is in it.
pub fn look<E>(
    looking: Looking<'_>,
    open: impl FnOnce(&dyn Selector) -> Result<Image, E>,
) -> Result<(Image, Catalog), E> {
    let eyes = Eyes {
        secrets: Eye { finder: looking.finder.unwrap_or_else(|| &FINDER), key: looking.fingerprints },
        malware: looking.malware,
        texts: !looking.without_texts,
        notes: Mutex::default(),
    };
    let image = open(&eyes)?;
    let mut catalog = boltseal_scan::catalog(&image.tree);
    if image.read {
        let notes = eyes.notes.into_inner().unwrap_or_else(PoisonError::into_inner);
        catalog.unowned = accounted::unowned(&image.tree, &catalog);
        catalog.malware = malware::found(&image.tree, notes.malware);
        catalog.misconfigurations = making::misconfigurations(&image, &catalog, notes.caches);
        if eyes.texts {
            leaks::add(&image, notes.leaks, eyes.secrets, &mut catalog);
        }
    }
    Ok((image, catalog))
}

/// What was seen so far.
#[derive(Default)]
struct Notes {
    leaks: Vec<Found>,
    malware: Vec<Seen>,
    caches: BTreeMap<&'static str, u64>,
}

struct Eyes<'a> {
    secrets: Eye<'a>,
    malware: Option<&'a Hashes>,
    texts: bool,
    notes: Mutex<Notes>,
}

impl Eyes<'_> {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What rules say of the file at `path` without looking into it.
    fn named(&self, path: &str) -> Vec<Spot> {
        let mut hits = Vec::new();
        if self.texts {
            self.secrets.finder.find_named(path, &mut hits);
        }
        hits.into_iter().map(Spot::named).collect()
    }

    /// What to keep of a file of which ecosystems want to keep `want`: of one with unusual permissions, or of which rules
    /// say something by its path, that it is there.
    fn unless_remarkable(&self, want: Want, path: &str, meta: &FileMeta) -> Want {
        let remarkable = || meta.mode & UNUSUAL != 0 || !self.named(path).is_empty();
        if want == Want::Skip && remarkable() { Want::Hashed } else { want }
    }
}

impl Selector for Eyes<'_> {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        self.unless_remarkable(Everything.want(path, meta), path, meta)
    }

    fn want_in_folder(&self, path: &str, meta: &FileMeta) -> Want {
        self.unless_remarkable(Everything.want_in_folder(path, meta), path, meta)
    }

    fn passes(&self, layer: u32, path: &str, meta: &FileMeta) {
        let named = self.named(path);
        if !named.is_empty() {
            leaks::note(&mut self.notes().leaks, layer, path, named);
        }
        if let Some(cache) = boltseal_check::image::cache(path) {
            *self.notes().caches.entry(cache).or_default() += meta.size;
        }
    }

    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        self.distill_hashed(path, bytes, &Digest::of(bytes))
    }

    fn hashes(&self) -> bool {
        true
    }

    fn distill_hashed(&self, path: &str, bytes: &[u8], digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        let record = accounted::hashed(Everything.distill(path, bytes)?, digest);
        if let Some(name) = self.malware.and_then(|hashes| hashes.name(digest.bytes())) {
            let digest = digest.clone();
            self.notes().malware.push(Seen { path: path.into(), name: name.into(), digest, layer: None });
        }
        Ok(Some(record))
    }

    fn inspects(&self, path: &str, _meta: &FileMeta) -> bool {
        // Lists of files and their digests, of which images have megabytes.
        self.texts && !path.starts_with("var/lib/dpkg/info/") && !path.starts_with("usr/share/zoneinfo/")
    }

    fn inspect(&self, path: &str, text: Text<'_>) -> Option<Vec<u8>> {
        let mut hits = Vec::new();
        self.secrets.finder.find(path, text.bytes, &mut hits);
        let malware = if text.whole { malware::of(self.malware, text.bytes) } else { None };
        Remark::of(hits, text, self.secrets.key, malware)
    }

    fn remark(&self, layer: u32, path: &str, meta: &FileMeta, remarks: &[Vec<u8>]) -> bool {
        if remarks.is_empty() {
            return meta.mode & UNUSUAL != 0;
        }
        let mut notes = self.notes();
        for Remark { hits, malware } in remarks.iter().filter_map(|bytes| Remark::read(bytes)) {
            leaks::note(&mut notes.leaks, layer, path, hits);
            if let Some((name, digest)) = malware {
                notes.malware.push(Seen { path: path.into(), name, digest, layer: Some(layer) });
            }
        }
        true
    }
}
