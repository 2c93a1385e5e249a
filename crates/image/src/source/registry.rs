//! Registries (OCI distribution specification 1.1, "Pull"), read through [`crate::remote`].

use std::{
    io::{Cursor, Read},
    ops::Range,
    sync::Mutex,
};

use boltseal_model::{Digest, Reference, Selector};

use crate::{
    Blobs, Error, Image, Options, read,
    remote::{self, Access, Fetched, Name, Remote, Repository},
};

/// Opens the image that `reference` names.
pub fn open(
    reference: &Reference,
    target: &str,
    selector: &dyn Selector,
    options: &Options<'_>,
) -> Result<Image, Error> {
    let access = Access {
        credentials: options.credentials.clone(),
        plain_http: options.plain_http,
        ca_file: options.ca_file.clone(),
        ..Access::default()
    };
    let repository = Remote::of(reference, &access)?.repository(reference.repository())?;
    let first = repository.manifest(Name::of(reference)).map_err(|error| told(error, reference))?;
    let (digest, media_type) = (first.digest.clone(), first.media_type.clone());
    let pulled = Pulled { repository, first: Mutex::new(Some(first)) };
    let said = Some(media_type.as_str()).filter(|said| !said.is_empty());
    let mut image = read(&pulled, &digest, said, target, selector, options)?;
    image.subject.name = Some(reference.clone());
    Ok(image)
}

/// A repository that is read from.
struct Pulled {
    repository: Repository,
    /// The manifest that the reference led to, so that it is fetched once.
    first: Mutex<Option<Fetched>>,
}

impl Blobs for Pulled {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        // How long a blob may be is known to whoever asked for it; who reads it checks the digest.
        Ok(Box::new(self.repository.blob_unchecked(digest)?))
    }

    fn stretch(
        &self,
        digest: &Digest,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        Ok(self.repository.blob_stretch(digest, range)?.map(|download| Box::new(download) as Box<_>))
    }

    fn manifest(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        if let Some(first) = first.filter(|first| first.digest == *digest) {
            return Ok(Box::new(Cursor::new(first.bytes)));
        }
        Ok(Box::new(Cursor::new(self.repository.manifest(Name::Digest(digest))?.bytes)))
    }
}

/// What is missing is told as by every other source.
fn told(error: remote::Error, reference: &Reference) -> Error {
    if !error.is_not_found() {
        return error.into();
    }
    Error::NotFound {
        place: reference.registry().to_owned(),
        wanted: format!("{}:{}", reference.repository(), Name::of(reference)),
        found: "the registry does not know it; check name and tag, and whether a login is needed".into(),
    }
}
