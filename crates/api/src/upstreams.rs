//! Other registries: caches of them, mirrors of them, imports from them.
//!
//! | path | what |
//! |---|---|
//! | `GET`, `POST /api/v1/upstreams`; `GET`, `DELETE /api/v1/upstreams/{name}` | [`UpstreamStatus`], [`NewUpstream`] |
//! | `GET`, `POST /api/v1/mirrors`; `GET`, `PATCH`, `DELETE /api/v1/mirrors/{name}` | [`Mirror`], [`NewMirror`], [`MirrorChange`] |
//! | `POST /api/v1/mirrors/{name}/runs` | begins one now: [`Transfer`] |
//! | `GET`, `POST /api/v1/imports`; `GET`, `DELETE /api/v1/imports/{id}` | [`Transfer`], [`NewImport`] |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// Seconds within which a tag is not compared with the upstream again, where nobody says otherwise.
const DEFAULT_TTL: u64 = 600;

/// A registry that repositories here are a cache of: whoever pulls `PREFIX/NAME` here pulls `HOST/NAME` there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// What people call it: lower-case letters, digits and `-`.
    pub name: String,
    /// The beginning of repository names here, such as `hub`. Of several that fit, the longest counts.
    pub prefix: String,
    /// Host, and port if any: `docker.io`.
    pub host: String,
    /// What stands before the rest of the name there, such as `library`; mostly nothing.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How the rest of a name is changed; the first rule that fits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rewrite: Vec<Rewrite>,
    /// Repositories there that may be fetched, with `*` for any text; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<String>,
    /// Repositories there that may not, whatever `allow` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deny: Vec<String>,
    /// Who we are there. The password is kept sealed and never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Seconds within which a tag is not compared with the upstream again. 0: at every pull.
    #[serde(default = "default_ttl")]
    pub ttl: u64,
    /// Whether it may be asked without TLS.
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain_http: bool,
    /// Certificate authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// Whether it is asked. What is here is served whether it is or not.
    #[serde(default = "yes")]
    pub enabled: bool,
}

/// An upstream, and how it went when it was last asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamStatus {
    /// What it is.
    #[serde(flatten)]
    pub upstream: Upstream,
    /// Absent if nobody ever asked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<Asked>,
}

/// How it went when a registry was asked. A change is noted at once, the same again at most once a minute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// Why it gave no answer that is good for anything; absent if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Under which name a server notes among its facts how asking an upstream went: one that moves to another host begins anew.
pub fn asked_name(upstream: &Upstream) -> String {
    format!("upstream {} at {}", upstream.name, upstream.host)
}

/// One rule about names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// The beginning of a name that it is about.
    pub from: String,
    /// What stands in its place.
    pub to: String,
}

/// `POST /api/v1/upstreams`: adds one, or changes the one with its name. Without a password the one that is known stays,
/// as long as host and user name do.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewUpstream {
    /// What it shall be.
    #[serde(flatten)]
    pub upstream: Upstream,
    /// For `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Zeroizing<String>>,
}

/// Repositories there that are copied here again and again.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mirror {
    /// What people call it: lower-case letters, digits and `-`.
    pub name: String,
    /// Host, and port if any: `docker.io`.
    pub host: String,
    /// Repositories there: `library/debian`.
    pub repositories: Vec<String>,
    /// What stands before their names here: `mirror` makes it `mirror/library/debian`.
    pub destination: String,
    /// Tags that are wanted, with `*` for any text; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Tags that are not, whatever `tags` says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skip: Vec<String>,
    /// Of those, only so many of the highest, as versions are ordered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub newest: Option<u32>,
    /// Only these platforms of an index, such as `linux/arm64`; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Signatures, SBOMs and whatever else refers to an image, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub referrers: bool,
    /// Seconds from one beginning to the next; none: only when somebody says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<u64>,
    /// Whether tags go here that went there.
    #[serde(default, skip_serializing_if = "is_false")]
    pub delete: bool,
    /// Whether the schedule rests.
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
    /// Who we are there. The password is kept sealed and never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Whether it may be asked without TLS.
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain_http: bool,
    /// Certificate authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// `POST /api/v1/mirrors`: adds one, or changes the one with its name. As for [`NewUpstream`].
#[derive(Clone, Serialize, Deserialize)]
pub struct NewMirror {
    /// What it shall be.
    #[serde(flatten)]
    pub mirror: Mirror,
    /// For `username`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Zeroizing<String>>,
}

/// `PATCH /api/v1/mirrors/{name}`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorChange {
    /// Whether its schedule rests from now on. A run that is under way is told to stop.
    pub paused: bool,
}

/// `GET /api/v1/mirrors/{name}`: a mirror and its runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MirrorStatus {
    /// What it is.
    pub mirror: Mirror,
    /// When the schedule begins it next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// Its runs, the newest first.
    pub runs: Vec<Transfer>,
}

/// `POST /api/v1/imports`: a copy of an image of another registry, once.
#[derive(Clone, Serialize, Deserialize)]
pub struct NewImport {
    /// Where it is: `docker.io/library/debian:12`, or with a digest.
    pub source: String,
    /// Repository here, and tag if any: `base/debian:12`.
    pub destination: String,
    /// Only these platforms of an index; all of them if none is named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<String>,
    /// Signatures, SBOMs and whatever else refers to it, too.
    #[serde(default, skip_serializing_if = "is_false")]
    pub referrers: bool,
    /// Who we are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// For `username`. Kept sealed until the import is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Zeroizing<String>>,
    /// Whether the other registry may be asked without TLS.
    #[serde(default, skip_serializing_if = "is_false")]
    pub plain_http: bool,
    /// Certificate authority to trust besides the system's, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

/// An import, or one run of a mirror.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transfer {
    /// Unique.
    pub id: String,
    /// From where.
    pub source: String,
    /// To where.
    pub destination: String,
    /// `waiting`, `running`, `stopping`, `done`, `failed` or `stopped`.
    pub state: String,
    /// Who asked: a principal's name, or `schedule`.
    pub by: String,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes, as far as known; it grows while more is found.
    pub total: u64,
    /// What is going on, or what came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A setting as it is kept, with its sealed password: for whoever keeps it and whoever uses it, never an answer.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept<T> {
    /// What it is.
    #[serde(flatten)]
    pub setting: T,
    /// The password, sealed for [`context`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<String>,
}

/// An import as its job says it: what was asked for, and where its sealed password is kept until it is over.
#[derive(Clone, Serialize, Deserialize)]
pub struct ImportJob {
    /// What was asked for, without the password.
    #[serde(flatten)]
    pub import: NewImport,
    /// Id of the document with the sealed password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// A run of a mirror as its job says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct MirrorJob {
    /// Name of the mirror.
    pub mirror: String,
}

/// What a password is sealed for: one registry and one user there, and no other.
pub fn context(host: &str, username: &str) -> Vec<u8> {
    format!("upstream registry\n{host}\n{username}").into_bytes()
}

/// Kinds of documents and jobs, as the facts call them.
pub mod kinds {
    /// Documents: [`Kept`](super::Kept) of an [`Upstream`](super::Upstream).
    pub const UPSTREAM: &str = "registry.upstream";
    /// Documents: [`Kept`](super::Kept) of a [`Mirror`](super::Mirror).
    pub const MIRROR: &str = "registry.mirror";
    /// Documents: sealed passwords of imports that are not over.
    pub const IMPORT_SECRET: &str = "registry.import-secret";
    /// Jobs: [`ImportJob`](super::ImportJob).
    pub const IMPORT_JOB: &str = "import";
    /// Jobs: [`MirrorJob`](super::MirrorJob).
    pub const MIRROR_JOB: &str = "mirror";
}

const fn default_ttl() -> u64 {
    DEFAULT_TTL
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
