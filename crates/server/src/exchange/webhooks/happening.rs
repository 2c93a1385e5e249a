//! What a record of the log means for whoever waits for images.

use boltseal_audit::{
    Record,
    record::{Activity, Outcome},
};
use boltseal_identity::Action;
use boltseal_model::Digest;
use serde_json::Value;

/// Something that happened to images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Happening {
    /// A manifest was pushed.
    Pushed { repository: String, digest: Digest, tags: Vec<String>, kind: String },
    /// A manifest or a tag was deleted.
    Deleted { repository: String, digest: Option<Digest>, tags: Vec<String> },
    /// An image was judged, and not as before.
    Judged { digest: Digest, before: Option<String>, after: String },
    /// Somebody decided about an image of a repository, whatever its verdict says.
    Decided { repository: String, digest: Digest },
}

impl Happening {
    /// What a record says; nothing if it is about something else, or was refused.
    pub(super) fn of(record: &Record) -> Option<Self> {
        if record.activity == Activity::Judge {
            let digest = record.subject.digest.clone()?;
            let before = text(record, "before");
            return Some(Self::Judged { digest, before, after: text(record, "verdict")? });
        }
        if record.outcome != Outcome::Success {
            return None;
        }
        let repository = repository(&record.subject.scope)?.to_owned();
        let digest = record.subject.digest.clone();
        let is = |action: Action| record.action == action.name();
        match record.activity {
            Activity::Create if is(Action::ContentWrite) => {
                // Only manifests have a media type; a blob that came is nothing yet.
                text(record, "media_type")?;
                let kind = text(record, "kind")?;
                Some(Self::Pushed { repository, digest: digest?, tags: tags(record), kind })
            }
            Activity::Delete if is(Action::ContentDelete) => {
                let is_blob = text(record, "kind").as_deref() == Some("blob");
                let tags = tags(record);
                let names_something = digest.is_some() || !tags.is_empty();
                (!is_blob && names_something).then_some(Self::Deleted { repository, digest, tags })
            }
            Activity::Update if is(Action::QuarantineWrite) => {
                Some(Self::Decided { repository, digest: digest? })
            }
            _ => None,
        }
    }
}

fn text(record: &Record, name: &str) -> Option<String> {
    record.detail.get(name).and_then(Value::as_str).map(str::to_owned)
}

/// Several tags of one push stand in one name, which no tag has a comma in.
fn tags(record: &Record) -> Vec<String> {
    let names = record.subject.name.as_deref().unwrap_or_default();
    names.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// `/registries/REGISTRY/repositories/NAME`
fn repository(scope: &str) -> Option<&str> {
    let (_, rest) = scope.strip_prefix("/registries/")?.split_once("/repositories/")?;
    Some(rest).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use boltseal_audit::record::Subject;
    use boltseal_model::Timestamp;

    use super::*;

    const SCOPE: &str = "/registries/main/repositories/team/app";

    fn record(activity: Activity, action: Action) -> Record {
        Record::new(Timestamp::UNIX_EPOCH, activity, action.name())
            .subject(Subject::new(SCOPE).digest(Digest::of(b"image")))
            .outcome(Outcome::Success)
    }

    #[test]
    fn what_records_mean() {
        let (digest, repository) = (Digest::of(b"image"), "team/app".to_owned());
        let push = || {
            record(Activity::Create, Action::ContentWrite).detail("media_type", "x/y").detail("kind", "image")
        };
        let judged = |before: Option<&str>| {
            let record = Record::new(Timestamp::UNIX_EPOCH, Activity::Judge, "Boltseal/images/judge/action")
                .digest(&digest)
                .detail("verdict", "deny");
            before.into_iter().fold(record, |record, before| record.detail("before", before))
        };
        let pushed = |tags: &[&str]| Happening::Pushed {
            repository: repository.clone(),
            digest: digest.clone(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            kind: "image".to_owned(),
        };
        let delete = || record(Activity::Delete, Action::ContentDelete);
        let deleted = |digest: Option<&Digest>, tags: &[&str]| Happening::Deleted {
            repository: repository.clone(),
            digest: digest.cloned(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        };
        let mut tag_only = delete().named("v1");
        tag_only.subject.digest = None;
        let elsewhere = Record { subject: Subject::new("/feeds"), ..push() };
        for (what, record, expected) in [
            ("a push by tags", push().named("v1,latest"), Some(pushed(&["v1", "latest"]))),
            ("a push by digest", push(), Some(pushed(&[]))),
            ("a blob", record(Activity::Create, Action::ContentWrite), None),
            ("a tag that moved", Record { activity: Activity::Update, ..push() }, None),
            ("a refused push", push().outcome(Outcome::Denied), None),
            ("not in a repository", elsewhere, None),
            ("a deleted manifest", delete(), Some(deleted(Some(&digest), &[]))),
            ("a deleted tag", tag_only, Some(deleted(None, &["v1"]))),
            ("a deleted blob", delete().detail("kind", "blob"), None),
            ("a pull", record(Activity::Read, Action::ContentRead), None),
            (
                "a decision",
                record(Activity::Update, Action::QuarantineWrite),
                Some(Happening::Decided { repository: repository.clone(), digest: digest.clone() }),
            ),
            (
                "a first verdict",
                judged(None),
                Some(Happening::Judged { digest: digest.clone(), before: None, after: "deny".to_owned() }),
            ),
            (
                "another verdict",
                judged(Some("allow")),
                Some(Happening::Judged {
                    digest: digest.clone(),
                    before: Some("allow".to_owned()),
                    after: "deny".to_owned(),
                }),
            ),
        ] {
            assert_eq!(Happening::of(&record), expected, "{what}");
        }
    }
}
