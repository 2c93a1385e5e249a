//! `/v2/<name>/blobs/<digest>`: whole or in part, through the gate; delete.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boltseal_identity::Action;
use boltseal_model::Digest;

use super::{Answer, CONTENT_DIGEST, Call, body, manifests::matches, uncancelled};
use crate::failure::{Code, Failure};

impl Call {
    pub(super) async fn get_blob(&self, repository: &str, digest: &Digest) -> Answer {
        let inner = &self.registry.0;
        // Whoever may push here may know what is there, or could not push the mended image over its own old layers.
        let pushing = self.is_head() && self.may(repository, Action::ContentWrite);
        // What they are told is there must still be there when its manifest comes.
        if pushing && !inner.leases.has(repository, digest).await? {
            return Err(unknown(repository, digest));
        }
        let found = inner.blob(repository, digest).await?.ok_or_else(|| unknown(repository, digest))?;
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
        let facts = self.recording(&self.record.clone().digest(&digest));
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

/// What a `Range` header asks for: RFC 9110, section 14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// No range, several, or one we do not understand: a server may then send everything.
    Whole,
    Some {
        start: u64,
        length: u64,
    },
    /// Not satisfiable.
    Nothing,
}

impl Part {
    fn parse(text: &str, size: u64) -> Self {
        let Some((first, last)) = text.strip_prefix("bytes=").and_then(|range| range.trim().split_once('-'))
        else {
            return Self::Whole;
        };
        let number = |text: &str| match text {
            "" => Some(None),
            digits if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Some(digits.parse::<u64>().unwrap_or(u64::MAX)))
            }
            _ => None,
        };
        let (start, end) = match (number(first), number(last)) {
            (Some(Some(start)), Some(end)) => (start, end.unwrap_or(u64::MAX)),
            (Some(None), Some(Some(0))) => return Self::Nothing,
            (Some(None), Some(Some(count))) => (size.saturating_sub(count), u64::MAX),
            _ => return Self::Whole,
        };
        // Section 15.5.17: also ranges that mean nothing may be answered with 416, which tells more than all bytes do.
        if end < start || start >= size {
            return Self::Nothing;
        }
        Self::Some { start, length: end.min(size - 1) - start + 1 }
    }
}

pub(super) fn unknown(repository: &str, digest: &Digest) -> Failure {
    Failure::new(Code::BlobUnknown, format!("{repository} has no blob {digest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges() {
        let some = |start, length| Part::Some { start, length };
        let cases = [
            ("bytes=0-9", some(0, 10)),
            ("bytes=0-0", some(0, 1)),
            ("bytes=5-", some(5, 95)),
            ("bytes=-7", some(93, 7)),
            ("bytes=-700", some(0, 100)),
            ("bytes=90-1000", some(90, 10)),
            ("bytes=99-", some(99, 1)),
            ("bytes=0-99999999999999999999999", some(0, 100)),
            ("bytes=100-", Part::Nothing),
            ("bytes=99999999999999999999999-", Part::Nothing),
            ("bytes=-0", Part::Nothing),
            ("bytes=9-3", Part::Nothing),
            ("bytes=0-1,5-6", Part::Whole),
            ("bytes=-", Part::Whole),
            ("bytes=a-b", Part::Whole),
            ("items=0-1", Part::Whole),
        ];
        for (text, expected) in cases {
            assert_eq!(Part::parse(text, 100), expected, "{text}");
        }
        assert_eq!(Part::parse("bytes=0-", 0), Part::Nothing, "an empty blob has no bytes");
    }
}
