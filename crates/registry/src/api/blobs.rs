//! `/v2/<name>/blobs/<digest>`: whole or in part, through the gate; delete.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boltseal_identity::Action;
use boltseal_model::Digest;

use super::{Answer, CONTENT_DIGEST, Call, body, manifests::matches, uncancelled};
use crate::{
    failure::{Code, Failure},
    range::Part,
};

impl Call {
    pub(super) async fn get_blob(&self, repository: &str, digest: &Digest) -> Answer {
        let inner = &self.registry.0;
        let cache = inner.upstreams.of(repository).await?;
        if let Some(known) = &cache
            && inner.blob(repository, digest).await?.is_none()
        {
            inner.pull_blob_through(known, repository, digest).await?;
        }
        // Whoever may push here may know what is there, or could not push the mended image over its own old layers.
        let pushing = self.is_head() && self.may(repository, Action::ContentWrite);
        // What they are told is there must still be there when its manifest comes.
        if pushing && !inner.leases.has(repository, digest).await? {
            return Err(unknown(repository, digest));
        }
        let Some(found) = inner.blob(repository, digest).await? else {
            return Err(inner.no_blob(repository, digest).await?);
        };
        // What is fetched is nobody's until a manifest points to it: nothing says that anybody may have it.
        if cache.is_some() && found.manifests.is_empty() {
            return Err(unknown(repository, digest));
        }
        if !pushing && let Some(refusal) = &found.locked {
            return Err(self.locked(&self.record.clone().digest(digest), refusal).await);
        }
        if !pushing
            && let Err(failure) = inner.gate.pass_blob(repository, &found.manifests, true).await
            && !self.may(repository, Action::QuarantineRead)
        {
            return Err(failure);
        }
        if !self.is_head() && inner.blob_pulls.is_new(self.caller.id, digest) {
            self.registry.note_pull(&self.record.clone().digest(digest)).await?;
        }
        let etag = HeaderValue::from_str(&format!("\"{digest}\"")).map_err(Failure::fault)?;
        let mut response = if self.header(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &etag)) {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            self.content(digest, found.size).await?
        };
        let headers = response.headers_mut();
        let name = HeaderValue::from_str(&digest.to_string()).map_err(Failure::fault)?;
        headers.insert(CONTENT_DIGEST, name);
        headers.insert(header::ETAG, etag);
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        // A digest never means other bytes.
        headers
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable"));
        Ok(response)
    }

    async fn content(&self, digest: &Digest, size: u64) -> Answer {
        let part = match self.header(header::RANGE) {
            Some(text) => Part::parse(text, size),
            None => Part::Whole,
        };
        let (status, start, length) = match part {
            Part::Whole => (StatusCode::OK, 0, size),
            Part::Some { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
            Part::Nothing => {
                let message =
                    format!("the blob has {size} bytes; the range lies outside or ends before it begins");
                return Err(Failure::new(Code::SizeInvalid, message)
                    .status(StatusCode::RANGE_NOT_SATISFIABLE)
                    .header(header::CONTENT_RANGE, format!("bytes */{size}")));
            }
        };
        let mut response: Response = if self.is_head() {
            Body::empty().into_response()
        } else {
            let (blobs, digest) = (self.registry.0.blobs.clone(), digest.clone());
            body::part(blobs, digest, start, length).await?.into_response()
        };
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(header::CONTENT_LENGTH, length.into());
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {start}-{}/{size}", start + length - 1);
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&range).map_err(Failure::fault)?);
        }
        Ok(response)
    }

    pub(super) async fn delete_blob(&self, repository: String, digest: Digest) -> Answer {
        let inner = self.registry.0.clone();
        let facts = self.recording(&self.record.clone().digest(&digest).detail("kind", "blob"));
        uncancelled(async move {
            let removed = facts.remove_blob(&repository, &digest).await?;
            inner.deleted();
            if !removed {
                return Err(unknown(&repository, &digest));
            }
            Ok(StatusCode::ACCEPTED.into_response())
        })
        .await
    }
}

pub(super) fn unknown(repository: &str, digest: &Digest) -> Failure {
    Failure::new(Code::BlobUnknown, format!("{repository} has no blob {digest}"))
}
