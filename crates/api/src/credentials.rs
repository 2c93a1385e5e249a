//! The inventory of credentials in images: `GET /api/v1/credentials?q=&kind=&confidence=&published=&gone=&after=&limit=`
//! and `GET /api/v1/credentials/{fingerprint}`. Values are not known to the server.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A part of the list, the newest first. Only what the caller may see; a part may be empty and still have a next one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Each once, in however many places it lies.
    pub credentials: Vec<Credential>,
    /// Images whose credentials are not in the list, because an older version looked at them. The
    /// server looks at them again; those that it cannot open stay here until they are pushed again.
    pub unrecognised: u64,
    /// `after` of the next part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// A credential that lies, or lay, in images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is recognised by: 128 bits of a keyed hash. Nobody without the server's key can test a guess with it.
    pub fingerprint: String,
    /// The rule that found it: `github-personal-access-token`, `password`, …
    pub kind: String,
    /// What people call it.
    pub title: String,
    /// `low`, `medium`, `high` or `verified`.
    pub confidence: String,
    /// It belongs to published packages in every place: then it was public before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub published: bool,
    /// When an image with it was looked at for the first time.
    pub first_seen: Timestamp,
    /// When the last of them was looked at, or deleted.
    pub last_seen: Timestamp,
    /// In how many images it lies now. None: whoever pulled one before still has it.
    pub images: u64,
    /// Repositories of those, at most 20.
    pub repositories: Vec<String>,
}

/// One credential, and where it lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    /// Which.
    #[serde(flatten)]
    pub credential: Credential,
    /// Where, by repository and image.
    pub places: Vec<Place>,
    /// There are more places.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub more: bool,
}

/// One place of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Repository that has the image.
    pub repository: String,
    /// Of the image.
    pub digest: String,
    /// Tags of the image there.
    pub tags: Vec<String>,
    /// Where in it: `app/.env:2`, `variable TOKEN`, …
    pub place: String,
    /// The layer that brought it; absent for what stands in the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<String>,
    /// A later layer deleted or replaced the file: no container shows it, every pull brings it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
    /// The published package that the file belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
}
