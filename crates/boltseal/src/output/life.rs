//! Locks, immutable tags, quotas and the trash, for people.

use boltseal_api::life::{ImmutableRule, Lock, Quota, Trashed};
use boltseal_model::Timestamp;
use indicatif::DecimalBytes;

use super::{images::bytes, packages::grid, paint::Paint};

/// Characters of a digest that tell it from others.
const SHORT: usize = 19;

/// Locks of one repository.
pub fn locks(all: &[Lock], paint: Paint) -> String {
    let rows = all.iter().map(|lock| {
        let words =
            [(lock.read, "pull"), (lock.write, "change"), (lock.delete, "delete"), (lock.list, "list")];
        let against: Vec<&str> =
            words.iter().filter(|(allowed, _)| !allowed).map(|(_, word)| *word).collect();
        let what = match (&lock.tag, &lock.digest) {
            (Some(tag), _) => tag.clone(),
            (None, Some(digest)) => digest.clone(),
            (None, None) => "(the repository)".to_owned(),
        };
        [against.join(" "), lock.by.clone(), moment(lock.at), lock.note.clone(), what]
    });
    grid(&["against", "by", "at", "note", "what"], rows, paint)
}

/// Deleted images.
pub fn trash(all: &[Trashed], paint: Paint) -> String {
    let rows = all.iter().map(|trashed| {
        let digest: String = trashed.digest.chars().take(SHORT).collect();
        [
            trashed.repository.clone(),
            digest,
            trashed.tags.join(" "),
            bytes(trashed.size),
            moment(trashed.deleted),
            trashed.by.clone(),
            moment(trashed.until),
        ]
    });
    grid(&["repository", "digest", "tags", "size", "deleted", "by", "gone at"], rows, paint)
}

/// Quotas, one a line.
pub fn quotas(all: &[Quota], paint: Paint) -> String {
    let of = |used: Option<u64>, limit: Option<u64>, text: fn(u64) -> String| match (used, limit) {
        (Some(used), Some(limit)) => format!("{} of {}", text(used), text(limit)),
        (Some(used), None) => text(used),
        (None, limit) => limit.map(text).unwrap_or_default(),
    };
    let number = |number: u64| number.to_string();
    let rows = all.iter().map(|quota| {
        [
            quota.scope.clone(),
            of(quota.used.map(|used| used.bytes), quota.bytes, decimal),
            of(quota.used.map(|used| used.repositories), quota.repositories, number),
            of(quota.used.map(|used| used.tags), quota.tags, number),
            quota.by.clone(),
        ]
    });
    grid(&["scope", "bytes", "repositories", "tags", "by"], rows, paint)
}

/// Rules about immutable tags, one a line.
pub fn immutable(all: &[ImmutableRule], paint: Paint) -> String {
    let rows = all.iter().map(|rule| {
        [
            rule.name.clone(),
            rule.repositories.clone(),
            rule.tags.clone(),
            rule.except.clone(),
            rule.by.clone(),
        ]
    });
    grid(&["name", "repositories", "tags", "except", "by"], rows, paint)
}

fn moment(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M").to_string()
}

/// As limits are given.
fn decimal(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}
