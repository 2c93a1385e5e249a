//! What is remarkable about a text, in the bytes that are kept with its layer. Values of credentials are not among them.

use boltseal_check::secret::{FingerprintKey, Hit};
use boltseal_model::{Confidence, Digest, Fingerprint, Text};
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
    /// By the key of whoever looked, which the name of the cache says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<Fingerprint>,
    /// It reaches the edge of its piece of the file, so the value may go on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

impl Spot {
    /// Of a file that is a credential by its path, whatever is in it.
    pub fn named(hit: Hit) -> Self {
        let Hit { rule, title, confidence, line, span: _ } = hit;
        Self { line, rule, title, confidence, fingerprint: None, cut: false }
    }
}

impl Remark {
    /// About a piece; `None` where there is nothing to say.
    pub fn of(
        hits: Vec<Hit>,
        text: Text<'_>,
        key: Option<&FingerprintKey>,
        malware: Option<(Box<str>, Digest)>,
    ) -> Option<Vec<u8>> {
        if hits.is_empty() && malware.is_none() {
            return None;
        }
        let spot = |Hit { rule, title, confidence, line, span }: Hit| Spot {
            line: text.lines + line,
            rule,
            title,
            confidence,
            cut: !text.whole && (span.start == 0 || span.end == text.bytes.len()),
            fingerprint: key.and_then(|key| Some(key.of(text.bytes.get(span)?))),
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
        let key = FingerprintKey::new(&[1; 32]);
        let text = Text { bytes: b"pw=hunter2", lines: 10, whole: true };
        let bytes = Remark::of(vec![hit], text, Some(&key), Some(("x".into(), Digest::of(b"x")))).unwrap();
        let spot = Spot {
            line: 12,
            rule: "password".into(),
            title: "Password".into(),
            confidence: Confidence::High,
            fingerprint: Some(key.of(b"hunter")),
            cut: false,
        };
        let expected = Remark { hits: vec![spot], malware: Some(("x".into(), Digest::of(b"x"))) };
        assert_eq!(Remark::read(&bytes), Some(expected));
        assert!(!String::from_utf8_lossy(&bytes).contains("hunter"));
        assert_eq!(Remark::of(Vec::new(), text, None, None), None);
        assert_eq!(Remark::read(b"{"), None);
    }
}
