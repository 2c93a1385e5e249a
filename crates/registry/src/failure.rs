//! What a client is told when something does not work: OCI distribution specification 1.1, "Error Codes".

use axum::{
    Json,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use boltseal_store::Refusal;
use serde_json::{Value, json};

/// Seconds after which a client may try again what the storage did not do.
const RETRY_AFTER: &str = "10";

/// The fourteen codes of the specification, and the one that Docker's registry has for what cannot be done just now.
/// Clients know no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    BlobUnknown,
    BlobUploadInvalid,
    BlobUploadUnknown,
    DigestInvalid,
    ManifestBlobUnknown,
    ManifestInvalid,
    ManifestUnknown,
    NameInvalid,
    NameUnknown,
    SizeInvalid,
    Unauthorized,
    Denied,
    Unsupported,
    TooManyRequests,
    Unavailable,
}

impl Code {
    const fn word(self) -> &'static str {
        match self {
            Self::BlobUnknown => "BLOB_UNKNOWN",
            Self::BlobUploadInvalid => "BLOB_UPLOAD_INVALID",
            Self::BlobUploadUnknown => "BLOB_UPLOAD_UNKNOWN",
            Self::DigestInvalid => "DIGEST_INVALID",
            Self::ManifestBlobUnknown => "MANIFEST_BLOB_UNKNOWN",
            Self::ManifestInvalid => "MANIFEST_INVALID",
            Self::ManifestUnknown => "MANIFEST_UNKNOWN",
            Self::NameInvalid => "NAME_INVALID",
            Self::NameUnknown => "NAME_UNKNOWN",
            Self::SizeInvalid => "SIZE_INVALID",
            Self::Unauthorized => "UNAUTHORIZED",
            Self::Denied => "DENIED",
            Self::Unsupported => "UNSUPPORTED",
            Self::TooManyRequests => "TOOMANYREQUESTS",
            Self::Unavailable => "UNAVAILABLE",
        }
    }

    /// The status that goes with a code unless something says otherwise.
    const fn status(self) -> StatusCode {
        match self {
            Self::BlobUnknown | Self::BlobUploadUnknown | Self::ManifestUnknown | Self::NameUnknown => {
                StatusCode::NOT_FOUND
            }
            Self::BlobUploadInvalid
            | Self::DigestInvalid
            | Self::ManifestBlobUnknown
            | Self::ManifestInvalid
            | Self::NameInvalid
            | Self::SizeInvalid => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Denied => StatusCode::FORBIDDEN,
            Self::Unsupported => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// An answer that is not what the client wanted.
#[derive(Clone, Debug)]
pub(crate) struct Failure(Box<Content>);

#[derive(Clone, Debug)]
struct Content {
    status: StatusCode,
    /// Absent for faults of ours, for which the specification has no code.
    code: Option<Code>,
    message: String,
    detail: Option<Value>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What kind of rule of ours stands against it.
    rule: Option<&'static str>,
}

impl Failure {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        let (status, message) = (code.status(), message.into());
        Self(Box::new(Content {
            status,
            code: Some(code),
            message,
            detail: None,
            headers: Vec::new(),
            rule: None,
        }))
    }

    /// A lock, a rule or a quota stands against it. Locks answer 405, as Azure's registries do; the rest is 403. Clients
    /// show the sentence, and try neither again.
    pub(crate) fn refused(refusal: &Refusal) -> Self {
        let failure = Self::new(Code::Denied, refusal.to_string());
        let mut failure = match refusal {
            Refusal::Locked { what, attribute, by, at, .. } => failure
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .header(header::ALLOW, if *attribute == "readEnabled" { "" } else { "GET, HEAD" })
                .detail(json!({ "locked": what, "attribute": attribute, "by": by, "at": at.to_string() })),
            Refusal::Immutable { what, rule } => failure.detail(json!({ "immutable": what, "rule": rule })),
            Refusal::Quota { scope, limit, used, more, .. } => {
                failure.detail(json!({ "quota": scope, "limit": limit, "used": used, "more": more }))
            }
        };
        failure.0.rule = Some(match refusal {
            Refusal::Locked { .. } => "a lock",
            Refusal::Immutable { .. } => "immutable tags",
            Refusal::Quota { .. } => "a quota",
        });
        failure
    }

    /// The kind of rule of ours that stands against it, for the log.
    pub(crate) fn rule(&self) -> Option<&'static str> {
        self.0.rule
    }

    /// Something is wrong on our side. The reason goes to the log, not to the client.
    pub(crate) fn fault(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "request failed");
        let message = "the registry could not do this; its log says why".to_owned();
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Self(Box::new(Content { status, code: None, message, detail: None, headers: Vec::new(), rule: None }))
    }

    /// The disk, the bucket or the database does not do its part. The reason goes to the log; the client should try again,
    /// and Docker's does by itself.
    pub(crate) fn unavailable(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "the storage does not answer");
        let message = "the registry's storage does not answer at the moment: try again in a few seconds";
        Self::new(Code::Unavailable, message).header(header::RETRY_AFTER, RETRY_AFTER)
    }

    #[cfg(test)]
    pub(crate) fn code(&self) -> &'static str {
        self.0.code.map_or("", Code::word)
    }

    /// What the client is told, in a sentence.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    pub(crate) fn detail(mut self, detail: Value) -> Self {
        self.0.detail = Some(detail);
        self
    }

    pub(crate) fn header(mut self, name: HeaderName, value: impl AsRef<str>) -> Self {
        if let Ok(value) = HeaderValue::from_str(value.as_ref()) {
            self.0.headers.push((name, value));
        }
        self
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let Content { status, code, message, detail, headers, rule: _ } = *self.0;
        let mut response = match code {
            Some(code) => {
                let mut error = json!({ "code": code.word(), "message": message });
                if let (Some(detail), Some(fields)) = (detail, error.as_object_mut()) {
                    fields.insert("detail".to_owned(), detail);
                }
                (status, Json(json!({ "errors": [error] }))).into_response()
            }
            None => (status, message + "\n").into_response(),
        };
        for (name, value) in headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}

impl From<boltseal_store::Error> for Failure {
    fn from(error: boltseal_store::Error) -> Self {
        use boltseal_store::Error;
        let message = error.to_string();
        match error {
            Error::DigestMismatch { .. } => Self::new(Code::DigestInvalid, message),
            Error::NoBlob(_) => Self::new(Code::BlobUnknown, message),
            Error::NoUpload(_) => Self::new(Code::BlobUploadUnknown, message),
            Error::Offset { expected, .. } => Self::new(Code::BlobUploadInvalid, message)
                .status(StatusCode::RANGE_NOT_SATISFIABLE)
                .header(header::RANGE, range(expected)),
            Error::Busy(_) => Self::new(Code::BlobUploadInvalid, message).status(StatusCode::CONFLICT),
            Error::TooManyUploads { .. } => {
                Self::new(Code::TooManyRequests, message).header(header::RETRY_AFTER, "60")
            }
            Error::Refused(refusal) => Self::refused(&refusal),
            Error::TooLarge { .. } => {
                Self::new(Code::SizeInvalid, message).status(StatusCode::PAYLOAD_TOO_LARGE)
            }
            // Nothing is done that cannot be recorded; the client may try again when somebody has looked at it.
            Error::LogClosed(why) => {
                tracing::error!(why, "refused: it could not be recorded");
                let message = "refused, because the audit log cannot be written; the server's log says why";
                Self::new(Code::Denied, message).status(StatusCode::SERVICE_UNAVAILABLE)
            }
            full if full.is_full() => {
                tracing::error!(error = %full, "refused: there is no room left");
                let message = "there is no room left in the registry's storage; nothing was changed";
                Self::new(Code::Denied, message).status(StatusCode::INSUFFICIENT_STORAGE)
            }
            Error::Nul => Self::new(Code::Unsupported, message).status(StatusCode::BAD_REQUEST),
            storage if storage.is_of_the_storage() => Self::unavailable(storage),
            other => Self::fault(other),
        }
    }
}

/// Received bytes as the `Range` header of uploads writes them: first and last, both included.
pub(crate) fn range(size: u64) -> String {
    format!("0-{}", size.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::{io, sync::Arc};

    use boltseal_store::Error;

    use super::*;

    #[test]
    fn faults_of_the_storage_say_whether_to_try_again() {
        let file = |number| {
            let source = Arc::new(io::Error::from_raw_os_error(number));
            Error::File { what: "write", path: "blobs".into(), source }
        };
        let bucket =
            Error::Objects { what: "store", place: "objects/1".to_owned(), detail: "refused".to_owned() };
        // ENOSPC, EDQUOT, EIO, EROFS.
        for (error, status, code) in [
            (file(28), 507, "DENIED"),
            (file(122), 507, "DENIED"),
            (file(5), 503, "UNAVAILABLE"),
            (file(30), 503, "UNAVAILABLE"),
            (bucket, 503, "UNAVAILABLE"),
            (Error::Closed, 503, "UNAVAILABLE"),
            (Error::Nul, 400, "UNSUPPORTED"),
        ] {
            let said = error.to_string();
            let failure = Failure::from(error);
            assert_eq!((failure.0.status.as_u16(), failure.code()), (status, code), "{said}");
            let waits = failure.0.headers.iter().any(|(name, _)| *name == header::RETRY_AFTER);
            assert_eq!(waits, status == 503, "{said}");
            assert!(!failure.message().contains("blobs"), "where it is stored is nobody's business");
        }
    }
}
