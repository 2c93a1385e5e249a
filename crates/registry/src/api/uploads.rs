//! `/v2/<name>/blobs/uploads/`: whole, in chunks, streamed, mounted from another repository.

use axum::{
    body::Body,
    http::{StatusCode, header},
    response::IntoResponse,
};
use boltseal_audit::Record;
use boltseal_identity::Action;
use boltseal_model::{Algorithm, Digest};
use boltseal_store::{Error as StoreError, Stored, Upload};

use super::{Answer, CONTENT_DIGEST, Call, UPLOAD_ID, auth, blocking, body::drain, uncancelled};
use crate::{
    Inner,
    failure::{Code, Failure, range},
    range::chunk,
    route,
};

impl Call {
    pub(super) async fn start_upload(&self, repository: String, body: Body) -> Answer {
        if let Some(mount) = self.query.get("mount") {
            let digest = route::digest(mount)?;
            if self.mount(&repository, &digest).await? {
                return Ok(stored(&repository, &digest));
            }
        } else if let Some(digest) = self.query.get("digest") {
            return self.put_whole(repository, route::digest(digest)?, body).await;
        }
        if let Some(algorithm) = self.query.get("digest-algorithm") {
            known(algorithm)?;
        }
        self.registry.0.leases.renew(&repository).await;
        let (blobs, name) = (self.registry.0.blobs.clone(), repository.clone());
        let id = blocking(move || blobs.start_upload(&name)).await?;
        Ok(session(StatusCode::ACCEPTED, &repository, &id, 0))
    }

    pub(super) async fn upload_status(&self, repository: &str, id: &str) -> Answer {
        // What is told is acknowledged, so it must be on disk first: a broken PATCH may have left bytes that are not.
        let upload = self.resume(id, repository).await?;
        let size = self.save(upload).await?;
        Ok(session(StatusCode::NO_CONTENT, repository, id, size))
    }

    pub(super) async fn patch_upload(&self, repository: &str, id: &str, body: Body) -> Answer {
        let upload = self.resume(id, repository).await?;
        let expected = self.chunk(&upload)?;
        let before = upload.size();
        let upload = self.registry.0.leases.during(repository, drain(body, upload)).await?;
        check_length(upload.size() - before, expected)?;
        let size = self.save(upload).await?;
        Ok(session(StatusCode::ACCEPTED, repository, id, size))
    }

    pub(super) async fn finish_upload(&self, repository: String, id: String, body: Body) -> Answer {
        let digest = self.query.get("digest").ok_or_else(|| {
            Failure::new(Code::DigestInvalid, "give the digest of the whole blob as ?digest=sha256:…")
        })?;
        let digest = route::digest(digest)?;
        let inner = self.registry.0.clone();
        let upload = self.resume(&id, &repository).await?;
        let expected = self.chunk(&upload)?;
        let before = upload.size();
        let upload = inner.leases.during(&repository, drain(body, upload)).await?;
        check_length(upload.size() - before, expected)?;
        let record = self.record.clone();
        uncancelled(async move {
            let _nobody_removes_it_meanwhile = inner.blobs.lock(&digest).await;
            let announced = digest.clone();
            let finished = tokio::task::spawn_blocking(move || upload.finish(&announced)).await;
            match finished.map_err(Failure::fault)? {
                Ok(stored) => inner.add(&record, Some(&id), &repository, stored).await?,
                // The session is not at fault: what was acknowledged stays, and the client may finish it later.
                Err(error) if error.is_of_the_storage() => return Err(error.into()),
                Err(error) => {
                    inner.facts.remove_upload(&id).await?;
                    return Err(error.into());
                }
            }
            Ok(stored(&repository, &digest))
        })
        .await
    }

    pub(super) async fn cancel_upload(&self, repository: &str, id: &str) -> Answer {
        let inner = self.registry.0.clone();
        let (repository, id) = (repository.to_owned(), id.to_owned());
        uncancelled(async move {
            let (blobs, session) = (inner.blobs.clone(), id.clone());
            blocking(move || blobs.cancel_upload(&session, &repository)).await?;
            inner.facts.remove_upload(&id).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        })
        .await
    }

    async fn put_whole(&self, repository: String, digest: Digest, body: Body) -> Answer {
        let inner = self.registry.0.clone();
        let (blobs, algorithm) = (inner.blobs.clone(), digest.algorithm());
        let writer = blocking(move || blobs.writer(algorithm)).await?;
        let writer = inner.leases.during(&repository, drain(body, writer)).await?;
        let record = self.record.clone();
        uncancelled(async move {
            let _nobody_removes_it_meanwhile = inner.blobs.lock(&digest).await;
            let announced = digest.clone();
            let blob = blocking(move || writer.finish(&announced)).await?;
            inner.add(&record, None, &repository, blob).await?;
            Ok(stored(&repository, &digest))
        })
        .await
    }

    /// Gives a repository a blob that another one has, if the caller may pull it there. Otherwise it must be uploaded,
    /// and nothing tells the caller whether it exists.
    async fn mount(&self, repository: &str, digest: &Digest) -> Result<bool, Failure> {
        let inner = &self.registry.0;
        let sources = match self.query.get("from") {
            Some(from) => vec![route::repository(from)?],
            None => inner.facts.repositories_with(digest).await?,
        };
        let mut beyond = None;
        for source in sources {
            let covered = self.may(&source, Action::ContentRead);
            if !covered && !self.principal_may(&source, Action::ContentRead) {
                continue;
            }
            let Some(found) = inner.blob(&source, digest).await?.filter(|found| found.locked.is_none())
            else {
                continue;
            };
            // In a cache, nothing says of such a blob that anybody may have it.
            if found.manifests.is_empty() && inner.upstreams.of(&source).await?.is_some() {
                continue;
            }
            // An image that is still being scanned is not waited for: uploading is the faster way.
            if inner.gate.pass_blob(&source, &found.manifests, false).await.is_err() {
                continue;
            }
            if !covered {
                beyond = beyond.or(Some(source));
            } else if self.mount_from(source, repository, digest).await? {
                return Ok(true);
            }
        }
        match beyond {
            // Its principal may pull there, the token just does not say so: another one helps.
            Some(source) => {
                let scope = format!("repository:{repository}:pull,push repository:{source}:pull");
                Err(auth::too_narrow(&self.registry, &self.parts, scope))
            }
            None => Ok(false),
        }
    }

    async fn mount_from(&self, source: String, repository: &str, digest: &Digest) -> Result<bool, Failure> {
        let inner = self.registry.0.clone();
        let (repository, digest, record) = (repository.to_owned(), digest.clone(), self.record.clone());
        uncancelled(async move {
            let record = record.digest(&digest).detail("mounted_from", source.clone());
            let facts = inner.facts.recording(vec![record.entry()]);
            let mounted = facts.mount(&source, &repository, &digest).await?.is_some();
            inner.changed(&repository, std::iter::empty(), std::iter::once(&digest));
            Ok(mounted)
        })
        .await
    }

    /// Checks a session out.
    async fn resume(&self, id: &str, repository: &str) -> Result<Upload, Failure> {
        let (blobs, id, repository) = (self.registry.0.blobs.clone(), id.to_owned(), repository.to_owned());
        blocking(move || blobs.resume(&id, &repository)).await
    }

    /// Makes what a session has durable. Gives its size.
    async fn save(&self, mut upload: Upload) -> Result<u64, Failure> {
        let inner = self.registry.0.clone();
        uncancelled(async move {
            let (upload, saved) = blocking(move || upload.save().map(|saved| (upload, saved))).await?;
            let size = saved.size;
            if size > 0 {
                inner.facts.save_upload(saved).await?;
            }
            // Only now may the next request have the session.
            drop(upload);
            Ok(size)
        })
        .await
    }

    /// How many bytes a request says it brings. A range must go on where the session is.
    fn chunk(&self, upload: &Upload) -> Result<Option<u64>, Failure> {
        let length = self.header(header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
        let Some(text) = self.header(header::CONTENT_RANGE) else { return Ok(length) };
        let malformed = || {
            let message = "Content-Range must be FIRST-LAST, both included, as in 0-1023";
            Failure::new(Code::BlobUploadInvalid, message)
        };
        let (first, said) = chunk(text).ok_or_else(malformed)?;
        if first != upload.size() {
            let id = upload.id().to_owned();
            return Err(StoreError::Offset { id, expected: upload.size(), found: first }.into());
        }
        let said = said.ok_or_else(malformed)?;
        if length.is_some_and(|length| length != said) {
            let message = format!("Content-Range says {said} bytes, Content-Length another number");
            return Err(Failure::new(Code::SizeInvalid, message));
        }
        Ok(Some(said))
    }
}

impl Inner {
    /// Lets a repository serve a blob that is stored.
    pub(crate) async fn add(
        &self,
        record: &Record,
        session: Option<&str>,
        repository: &str,
        blob: Stored,
    ) -> Result<(), Failure> {
        let digest = blob.digest.clone();
        let entry = record.clone().digest(&digest).detail("bytes", blob.size).entry();
        self.facts.recording(vec![entry]).finish_upload(session, repository, blob).await?;
        self.changed(repository, std::iter::empty(), std::iter::once(&digest));
        Ok(())
    }
}

/// Whether blobs can be stored under digests of this algorithm; better said before the upload than after it.
fn known(algorithm: &str) -> Result<(), Failure> {
    const KNOWN: [Algorithm; 2] = [Algorithm::Sha256, Algorithm::Sha512];
    if KNOWN.iter().any(|known| known.name() == algorithm) {
        return Ok(());
    }
    let shown: String = algorithm.chars().take(40).collect();
    let message = format!("digests by `{shown}` are not known here: use sha256 or sha512");
    Err(Failure::new(Code::DigestInvalid, message))
}

fn check_length(brought: u64, expected: Option<u64>) -> Result<(), Failure> {
    match expected {
        Some(expected) if expected != brought => {
            let message = format!("{brought} bytes came, {expected} were announced");
            Err(Failure::new(Code::SizeInvalid, message))
        }
        _ => Ok(()),
    }
}

fn session(status: StatusCode, repository: &str, id: &str, size: u64) -> axum::response::Response {
    let headers = [
        (header::LOCATION, format!("/v2/{repository}/blobs/uploads/{id}")),
        (header::RANGE, range(size)),
        (UPLOAD_ID, id.to_owned()),
    ];
    (status, headers).into_response()
}

fn stored(repository: &str, digest: &Digest) -> axum::response::Response {
    let location = format!("/v2/{repository}/blobs/{digest}");
    let headers = [(header::LOCATION, location), (CONTENT_DIGEST, digest.to_string())];
    (StatusCode::CREATED, headers).into_response()
}
