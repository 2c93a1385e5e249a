//! Which images have grown old: not built for long, or on a base that has a newer one.

use boltseal_model::{Digest, Timestamp};

/// Seconds of a day.
const DAY: i64 = 86_400;
/// 1980: builds that are to be the same every time say that they were made in 1970, or at the first moment of zip files.
const SENSIBLE: i64 = 315_619_200;

/// A name that the base of an image had when the image was built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// Of the repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Whether it still points to that base.
    pub same: bool,
    /// What it points to now, and since when; nothing if the tag is gone.
    pub now: Option<(Digest, Timestamp)>,
}

/// A newer base.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newer {
    /// Repository and tag.
    pub name: String,
    /// Of its manifest or index.
    pub digest: Digest,
    /// Since when.
    pub since: Timestamp,
}

/// When an image was built: as its configuration says, if that can be; otherwise when it was pushed.
pub fn built(created: Option<Timestamp>, pushed: Timestamp, now: Timestamp) -> Timestamp {
    created.filter(|created| created.as_second() > SENSIBLE && *created <= now).unwrap_or(pushed)
}

/// Whole days since `built`.
pub fn days(built: Timestamp, now: Timestamp) -> u64 {
    u64::try_from(now.as_second().saturating_sub(built.as_second()) / DAY).unwrap_or(0)
}

/// What stands where the base was, if the base has a name no longer. While one name still points to it, it is current;
/// of several that moved, the one that moved last counts.
pub fn newer(names: &[Name]) -> Option<Newer> {
    if names.iter().any(|name| name.same) {
        return None;
    }
    let moved = names.iter().filter_map(|name| name.now.as_ref().map(|now| (name, now)));
    let (name, (digest, since)) = moved.max_by(|(a, (_, x)), (b, (_, y))| {
        x.cmp(y).then_with(|| (&b.repository, &b.tag).cmp(&(&a.repository, &a.tag)))
    })?;
    Some(Newer { name: format!("{}:{}", name.repository, name.tag), digest: digest.clone(), since: *since })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn when_an_image_was_built() {
        let now = at(1_800_000_000);
        for (what, created, expected) in [
            ("as it says", Some(1_700_000_000), 1_700_000_000),
            ("it does not say", None, 1_750_000_000),
            ("made the same every time", Some(0), 1_750_000_000),
            ("at the first moment of zip files", Some(315_532_800), 1_750_000_000),
            ("in the future", Some(1_900_000_000), 1_750_000_000),
        ] {
            assert_eq!(built(created.map(at), at(1_750_000_000), now), at(expected), "{what}");
        }
        assert_eq!((days(at(0), at(86_399)), days(at(0), at(86_400)), days(at(5), at(0))), (0, 1, 0));
    }

    #[test]
    fn what_is_newer() {
        let digest = |name: &str| Digest::of(name.as_bytes());
        let name = |tag: &str, same: bool, now: Option<(&str, i64)>| Name {
            repository: "base".to_owned(),
            tag: tag.to_owned(),
            same,
            now: now.map(|(name, second)| (digest(name), at(second))),
        };
        for (what, names, expected) in [
            ("no names", vec![], None),
            ("still there", vec![name("12", true, Some(("old", 1)))], None),
            ("moved", vec![name("12", false, Some(("new", 5)))], Some(("base:12", "new", 5))),
            ("the tag is gone", vec![name("12", false, None)], None),
            (
                "under one name it is current",
                vec![name("12", false, Some(("new", 5))), name("12.1", true, Some(("old", 1)))],
                None,
            ),
            (
                "the last that moved",
                vec![
                    name("12", false, Some(("new", 5))),
                    name("latest", false, Some(("newest", 9))),
                    name("x", false, None),
                ],
                Some(("base:latest", "newest", 9)),
            ),
            (
                "moved together",
                vec![name("b", false, Some(("new", 5))), name("a", false, Some(("new", 5)))],
                Some(("base:a", "new", 5)),
            ),
        ] {
            let expected = expected.map(|(name, new, since)| Newer {
                name: name.to_owned(),
                digest: digest(new),
                since: at(since),
            });
            assert_eq!(newer(&names), expected, "{what}");
        }
    }
}
