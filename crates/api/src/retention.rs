//! Rules about which images are kept and which are deleted.
//!
//! | path | what |
//! |---|---|
//! | `GET`, `POST /api/v1/retention/rules`; `DELETE /api/v1/retention/rules/{name}` | [`Rule`] |
//! | `GET /api/v1/retention/plan?rule=&repository=` | what would be deleted now, and why: [`Plan`] |
//! | `POST /api/v1/retention/runs` | deletes it, as a job: [`Run`] |

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One rule. An image that fits all its conditions is deleted, unless a pattern of any rule keeps it, it is locked, or
/// something that stays refers to it. A rule without conditions only keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What people call it: lower-case letters, digits and `-`.
    pub name: String,
    /// The repositories that it is about, with `*` for any text: `team/*`.
    pub repositories: String,
    /// Images all of whose tags are like one of these; `*` for any text. None: images with any tags or none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Images without tags only.
    #[serde(default, skip_serializing_if = "is_false")]
    pub untagged: bool,
    /// Condition: pushed last more than this many days ago.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than_days: Option<u32>,
    /// Condition: this many images that the rule is about were pushed later, in the same repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beyond_newest: Option<u32>,
    /// Condition: neither pulled nor pushed within this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_pulled_days: Option<u32>,
    /// Condition: its verdict has been deny for more than this many days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_days: Option<u32>,
    /// Tags that keep an image, whatever any rule says; `*` for any text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Deletes nothing for now; what it keeps is kept all the same.
    #[serde(default, skip_serializing_if = "is_false")]
    pub disabled: bool,
}

impl Rule {
    /// Whether it deletes anything.
    pub const fn deletes(&self) -> bool {
        self.older_than_days.is_some()
            || self.beyond_newest.is_some()
            || self.not_pulled_days.is_some()
            || self.denied_days.is_some()
            || self.untagged
    }
}

/// What would be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// As of then.
    pub at: Timestamp,
    /// Repositories looked at.
    pub repositories: u64,
    /// Manifests that stay.
    pub kept: u64,
    /// What goes, by repository; at most as many as one answer has.
    pub images: Vec<Going>,
    /// How many go, those included that one answer has no place for.
    pub total: u64,
}

/// A manifest that goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Going {
    /// Name of the repository.
    pub repository: String,
    /// Of the manifest.
    pub digest: String,
    /// Its tags, which go with it.
    pub tags: Vec<String>,
    /// The rule.
    pub rule: String,
    /// Why, in a sentence.
    pub why: String,
    /// Bytes of the manifest and what it points to; others may share them.
    pub bytes: u64,
}

/// `POST /api/v1/retention/runs`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRun {
    /// The only rule that deletes; all of them where none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

/// The job that does it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// Its id: `GET /api/v1/jobs/{id}` says how far it is.
    pub job: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}
