//! Which of two policies is the older one: by the number that its author counts up, or by when it was signed.
//!
//! An old policy is a good one that somebody took back: with its old signature it must not come into force again unnoticed.

use boltseal_model::{Digest, Timestamp};

/// What tells the age of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    /// Of its text and the files that it names.
    pub text: Digest,
    /// `revision:` in its text.
    pub revision: Option<u64>,
    /// When it was signed, as whoever signed it says.
    pub signed_at: Option<Timestamp>,
}

/// Why `new` is older than `current`, or may be; `None` where nothing says so.
pub fn older(current: &Issue, new: &Issue) -> Option<String> {
    if current.text == new.text {
        return None;
    }
    match (current.revision, new.revision) {
        (Some(current), Some(new)) if new < current => {
            return Some(format!("it is revision {new}, and revision {current} is in force"));
        }
        (Some(current), Some(new)) if new == current => {
            return Some(format!(
                "revision {current} is in force and says something else: count `revision` up"
            ));
        }
        (Some(current), None) => {
            return Some(format!("it has no `revision`, and revision {current} is in force"));
        }
        (_, Some(_)) => return None,
        (None, None) => {}
    }
    let (current, new) = (current.signed_at?, new.signed_at?);
    (new < current).then(|| format!("it was signed at {new}, and the one in force later, at {current}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older() {
        let issue = |text: &str, revision, signed: Option<i64>| Issue {
            text: Digest::of(text.as_bytes()),
            revision,
            signed_at: signed.map(|second| Timestamp::from_second(second).unwrap()),
        };
        for (current, new, words) in [
            (issue("a", Some(3), None), issue("b", Some(4), None), ""),
            (issue("a", Some(3), Some(9)), issue("b", Some(4), Some(1)), ""),
            (issue("a", Some(3), None), issue("a", Some(3), None), ""),
            (issue("a", Some(3), None), issue("b", Some(2), Some(9)), "revision 2, and revision 3"),
            (issue("a", Some(3), None), issue("b", Some(3), None), "count `revision` up"),
            (issue("a", Some(3), None), issue("b", None, Some(9)), "no `revision`"),
            (issue("a", None, None), issue("b", None, None), ""),
            (issue("a", None, Some(5)), issue("b", None, Some(6)), ""),
            (issue("a", None, Some(5)), issue("b", None, Some(4)), "was signed at"),
            (issue("a", None, None), issue("b", Some(1), None), ""),
        ] {
            let told = older(&current, &new).unwrap_or_default();
            assert!(told.contains(words) && told.is_empty() == words.is_empty(), "{told} / {words}");
        }
    }
}
