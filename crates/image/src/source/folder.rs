//! skopeo's `dir:` form: `manifest.json` and blobs named by the hexadecimal part of their digest.

use std::io::Read;

use boltseal_model::{Algorithm, Digest, Selector};

use super::files::{Files, Folder};
use crate::{Blobs, Error, Image, MAX_MANIFEST, Options, read};

struct Dir<'f> {
    files: &'f Folder,
    manifest: Vec<u8>,
    digest: Digest,
}

impl Blobs for Dir<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        // Other algorithms than sha256 are part of the name.
        let name = match digest.algorithm() {
            Algorithm::Sha256 => digest.hex(),
            Algorithm::Sha512 => format!("sha512-{}", digest.hex()),
        };
        let found = self.files.open(&name)?;
        found
            .map(|(reader, _)| reader)
            .ok_or_else(|| Error::NoBlob { digest: digest.clone(), place: self.files.place() })
    }

    fn manifest(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        if *digest == self.digest {
            return Ok(Box::new(self.manifest.as_slice()));
        }
        // The images of an index lie beside it.
        match self.files.open(&format!("{}.manifest.json", digest.hex()))? {
            Some((reader, _)) => Ok(reader),
            None => self.blob(digest),
        }
    }
}

/// Opens the image in `files`.
pub fn open(
    files: &Folder,
    reference: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let missing =
        || Error::malformed(files.place(), "has no manifest.json: it is not a dir: image of skopeo");
    let manifest = files.document("manifest.json", MAX_MANIFEST)?.ok_or_else(missing)?;
    let digest = Digest::of(&manifest);
    let dir = Dir { files, manifest, digest: digest.clone() };
    read(&dir, &digest, None, reference, selector, options)
}
