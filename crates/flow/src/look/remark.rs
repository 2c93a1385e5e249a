//! What is remarkable about a text, in the bytes that are kept with its layer. Values of credentials are not among them.

use boltseal_check::secret::Hit;
use boltseal_model::{Confidence, Digest};
use serde::{Deserialize, Serialize};

/// About one piece of one text.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remark {
    pub hits: Vec<Spot>,
    /// What the whole text is known as, and its digest.
    pub malware: Option<(Box<str>, Digest)>,
}

/// A credential, and where in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Spot {
    pub line: usize,
    pub rule: String,
    pub title: String,
    pub confidence: Confidence,
}

impl Remark {
    /// About a piece that has `lines` before it; `None` where there is nothing to say.
    pub fn of(hits: Vec<Hit>, lines: usize, malware: Option<(Box<str>, Digest)>) -> Option<Vec<u8>> {
        if hits.is_empty() && malware.is_none() {
            return None;
        }
        let spot = |Hit { rule, title, confidence, line, .. }: Hit| Spot {
            line: lines + line,
            rule,
            title,
            confidence,
        };
        serde_json::to_vec(&Self { hits: hits.into_iter().map(spot).collect(), malware }).ok()
    }

    /// `None` for what [`Remark::of`] did not write.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_without_the_value() {
        let hit = Hit {
            rule: "password".into(),
            title: "Password".into(),
            confidence: Confidence::High,
            span: 3..9,
            line: 2,
        };
        let bytes = Remark::of(vec![hit], 10, Some(("x".into(), Digest::of(b"x")))).unwrap();
        let spot = Spot {
            line: 12,
            rule: "password".into(),
            title: "Password".into(),
            confidence: Confidence::High,
        };
        let expected = Remark { hits: vec![spot], malware: Some(("x".into(), Digest::of(b"x"))) };
        assert_eq!(Remark::read(&bytes), Some(expected));
        assert_eq!(Remark::of(Vec::new(), 10, None), None);
        assert_eq!(Remark::read(b"{"), None);
    }
}
