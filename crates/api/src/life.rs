//! What people forbid, limit and take back: locks, immutable tags, quotas, the trash.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What is allowed with a repository, a tag or a manifest. `GET /api/v1/repositories/{repository}/locks` lists what is
/// locked in a repository; a slash in its name is written `%2F`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "these are the four attributes of Azure's registries")]
pub struct Lock {
    /// The tag, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The digest of the manifest, where it is one. With neither, it is the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// It may be pulled.
    pub read: bool,
    /// It may be changed, and deleted.
    pub write: bool,
    /// It may be deleted.
    pub delete: bool,
    /// Lists show it.
    pub list: bool,
    /// Who said so; empty where everything is allowed.
    #[serde(default)]
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[serde(default)]
    pub note: String,
}

/// `PATCH /api/v1/repositories/{repository}/locks`, answered with the [`Lock`]. What is left out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockChange {
    /// The tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The digest of the manifest. With neither, the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether it may be pulled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<bool>,
    /// Whether it may be changed, and deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<bool>,
    /// Whether it may be deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delete: Option<bool>,
    /// Whether lists show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<bool>,
    /// Why, for whoever stands before the lock.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
}

/// A deleted image that can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trashed {
    /// The repository it was in.
    pub repository: String,
    /// Of the manifest.
    pub digest: String,
    /// As pushed.
    pub media_type: String,
    /// Bytes of what it points to.
    pub size: u64,
    /// Tags that pointed to it.
    pub tags: Vec<String>,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// When it goes for good.
    pub until: Timestamp,
    /// Who deleted it.
    pub by: String,
}

/// `GET /api/v1/trash` (`?repository=`, `?after=` of the page before, `?limit=`): what the caller may see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trash {
    /// By repository and digest.
    pub images: Vec<Trashed>,
    /// `after` of the next page, if there may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// `POST /api/v1/trash/undelete`, answered with [`Undeleted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelete {
    /// The repository it was in.
    pub repository: String,
    /// Of the manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// A tag that pointed to it, or was removed alone; of several, the one that was deleted last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undeleted {
    /// Digests: of the one asked for, and of those that it lists.
    pub manifests: Vec<String>,
    /// Tags that point to it again.
    pub tags: Vec<String>,
    /// Tags that point to something else by now, and stay there.
    pub taken: Vec<String>,
}

/// `GET|PATCH /api/v1/trash/settings`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrashSettings {
    /// For how many days deleted images can be taken back: 0 (not at all) to 90.
    pub days: u32,
}

/// Tags that neither move nor go. `GET|POST /api/v1/immutable-tags`; `DELETE /api/v1/immutable-tags/{name}`. In patterns
/// `*` stands for anything and `?` for one character; commas separate several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImmutableRule {
    /// Unique.
    pub name: String,
    /// Repositories that it is about.
    pub repositories: String,
    /// Tags that it is about.
    pub tags: String,
    /// Tags that it is not about though they match.
    #[serde(default)]
    pub except: String,
    /// Who made it; the server knows.
    #[serde(default)]
    pub by: String,
    /// When; the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// How much a scope may hold. `GET|POST /api/v1/quotas`; `DELETE /api/v1/quotas?scope=SCOPE`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// `*` (the registry), `team/*` (everything below `team/`) or `team/app`.
    pub scope: String,
    /// Bytes, each content once, with what is in the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// Repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repositories: Option<u64>,
    /// Tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<u64>,
    /// What is used; the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Usage>,
    /// Who set it; the server knows.
    #[serde(default)]
    pub by: String,
    /// When; the server knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// What is used of a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Bytes.
    pub bytes: u64,
    /// Repositories.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
}
