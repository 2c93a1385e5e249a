//! Why a change is refused that its maker would be allowed to make.

use std::fmt;

use boltseal_model::Timestamp;

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Bytes of everything stored, each content once.
    Bytes,
    /// Repositories.
    Repositories,
    /// Tags.
    Tags,
}

/// Why a change is refused that its maker would be allowed to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Somebody locked it.
    Locked {
        /// What is locked: `team/app`, `team/app:v1` or `team/app@sha256:…`.
        what: String,
        /// The attribute that is false, in Azure's words: `writeEnabled`.
        attribute: &'static str,
        /// Who locked it.
        by: String,
        /// When.
        at: Timestamp,
        /// Why, if they said.
        note: String,
    },
    /// A rule says that the tag never moves and never goes.
    Immutable {
        /// The tag: `team/app:v1`.
        what: String,
        /// Name of the rule.
        rule: String,
    },
    /// A quota is exhausted.
    Quota {
        /// `*`, `team/*` or `team/app`.
        scope: String,
        /// What is limited.
        measure: Measure,
        /// The limit.
        limit: u64,
        /// What is used.
        used: u64,
        /// How much more it would have become.
        more: u64,
    },
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Locked { what, attribute, by, at, note } => {
                let doing = match *attribute {
                    "readEnabled" => "pulled",
                    "deleteEnabled" => "deleted",
                    _ => "changed or deleted",
                };
                write!(f, "{what} is locked and cannot be {doing} ({attribute} is false): ")?;
                let by = if by.is_empty() { "somebody" } else { by };
                write!(f, "{by} locked it on {}", at.strftime("%Y-%m-%d %H:%M UTC"))?;
                if note.is_empty() { Ok(()) } else { write!(f, ", “{note}”") }
            }
            Self::Immutable { what, rule } => {
                write!(
                    f,
                    "the tag {what} is immutable: the rule `{rule}` lets it neither move nor go; push under another tag"
                )
            }
            Self::Quota { scope, measure, limit, used, more } => {
                let (limit, used, more) = match measure {
                    Measure::Bytes => {
                        (Size(*limit).to_string(), Size(*used).to_string(), Size(*more).to_string())
                    }
                    Measure::Repositories | Measure::Tags => {
                        (limit.to_string(), used.to_string(), more.to_string())
                    }
                };
                let unit = match measure {
                    Measure::Bytes => "",
                    Measure::Repositories => " repositories",
                    Measure::Tags => " tags",
                };
                let scope = if scope == "*" { "the registry" } else { scope };
                write!(f, "the quota of {scope} is {limit}{unit}: {used} used, {more} more do not fit")
            }
        }
    }
}

/// Bytes as people read them: powers of 1000, one digit after the point.
struct Size(u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut unit = 1_u64;
        for (name, larger) in [("B", 1000), ("kB", 1000), ("MB", 1000), ("GB", 1000), ("TB", 1000)] {
            if self.0 / unit < larger || name == "TB" {
                let tenths = u128::from(self.0) * 10 / u128::from(unit);
                return match name {
                    "B" => write!(f, "{} B", self.0),
                    _ if tenths % 10 == 0 => write!(f, "{} {name}", tenths / 10),
                    _ => write!(f, "{}.{} {name}", tenths / 10, tenths % 10),
                };
            }
            unit *= 1000;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1000, "1 kB"),
            (1_550, "1.5 kB"),
            (9_800_000_000, "9.8 GB"),
            (10_000_000_000, "10 GB"),
            (7_000_000_000_000_000, "7000 TB"),
        ] {
            assert_eq!(Size(bytes).to_string(), text);
        }
    }

    #[test]
    fn sentences_name_everything() {
        let locked = Refusal::Locked {
            what: "team/app:v1".to_owned(),
            attribute: "writeEnabled",
            by: "alice".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            note: "in production".to_owned(),
        };
        assert_eq!(
            locked.to_string(),
            "team/app:v1 is locked and cannot be changed or deleted (writeEnabled is false): alice locked it on \
             1970-01-01 00:00 UTC, “in production”"
        );
        let quota = Refusal::Quota {
            scope: "team/*".to_owned(),
            measure: Measure::Bytes,
            limit: 10_000_000_000,
            used: 9_800_000_000,
            more: 500_000_000,
        };
        assert_eq!(quota.to_string(), "the quota of team/* is 10 GB: 9.8 GB used, 500 MB more do not fit");
    }
}
