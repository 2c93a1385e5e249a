//! Finds credentials in text.
//!
//! One pass of an Aho-Corasick automaton over the bytes stops at anchors: prefixes that issuers give their tokens
//! (`ghp_`, `AKIA`, `xoxb-`), words that name a secret (`password`, `token`, `key`), `://`, `Bearer`, `-----BEGIN`. At
//! each anchor a small reader decides from the bytes around it; there is no regular expression in the way of the built-in
//! rules. That is what keeps a core above 150 MB/s.
//!
//! | reader | what it accepts |
//! |---|---|
//! | [`token`] | an issuer's prefix and what must follow; a checksum where the issuer has one |
//! | [`assignment`] | `NAME=value` and its kin, where the name says secret and the value looks like one |
//! | [`url`](mod@url) | `scheme://user:password@host` |
//! | [`authorization`] | `Bearer` and `Basic` |
//! | [`jwt`] | three base64url parts, of which the first is a JOSE header |
//! | [`pem`] | private keys |
//! | [`gitleaks`] | rules that people bring, in that tool's format |
//!
//! A [`Hit`] has the place of a value and not the value; [`FingerprintKey`] makes of the value what it is recognised by.
//!
//! Limits: what stands for a secret by convention only (a bare UUID, a word) is not reported; values are at most
//! [`MAX_VALUE`] bytes, hits at most [`MAX_HITS`] a text. Text must be ASCII-compatible; UTF-16 is not read.

mod anchors;
pub mod assignment;
pub mod authorization;
mod fingerprint;
pub mod gitleaks;
mod issuers;
pub mod jwt;
pub mod pem;
mod random;
pub mod token;
pub mod url;
mod value;

use std::ops::Range;

use self::anchors::Anchors;

pub use boltseal_model::Confidence;
pub use fingerprint::FingerprintKey;
pub use gitleaks::{Rules, RulesError};
pub use issuers::{ISSUERS, Issuer, Tail};

/// Bytes of one value. The longest real ones are tokens with claims in them, which proxies cut at 8 KiB.
pub const MAX_VALUE: usize = 8 << 10;

/// Hits in one text. A file with more is a list of something, or an attack on whoever reads the report.
pub const MAX_HITS: usize = 1000;

/// One credential in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// `github-personal-access-token`, `password`, …
    pub rule: String,
    /// What people call it.
    pub title: String,
    /// How sure.
    pub confidence: Confidence,
    /// The bytes of the value, without quotes.
    pub span: Range<usize>,
    /// From 1.
    pub line: usize,
}

/// A found value before it has its line.
#[derive(Clone, Debug)]
pub(crate) struct Found<'r> {
    pub rule: &'r str,
    pub title: &'r str,
    pub confidence: Confidence,
    pub span: Range<usize>,
}

/// Looks for credentials. Building one takes some milliseconds; it is shared between threads.
#[derive(Debug)]
pub struct Finder {
    anchors: Anchors,
    kinds: Vec<Anchor>,
    rules: Rules,
}

#[derive(Clone, Copy, Debug)]
enum Anchor {
    Issuer(usize),
    Name,
    Url,
    Authorization,
    Jwt,
    Pem,
    Nkey,
    AzureAd,
    Hash,
    Rule,
}

impl Default for Finder {
    fn default() -> Self {
        Self::new()
    }
}

impl Finder {
    /// With the built-in rules.
    ///
    /// # Panics
    ///
    /// Never, as long as the built-in words make an automaton, which they do.
    #[expect(
        clippy::expect_used,
        reason = "the list is fixed, and every test builds it; finding nothing would be silent"
    )]
    pub fn new() -> Self {
        Self::with(Rules::default()).expect("the built-in words make an automaton")
    }

    /// With rules of somebody's own besides the built-in ones.
    pub fn with(rules: Rules) -> Result<Self, RulesError> {
        let mut anchors: Vec<(String, Anchor)> = Vec::new();
        for (index, issuer) in ISSUERS.iter().enumerate() {
            anchors.push((issuer.prefix.to_ascii_lowercase(), Anchor::Issuer(index)));
        }
        anchors.extend(assignment::WORDS.iter().map(|word| ((*word).to_owned(), Anchor::Name)));
        anchors.extend(authorization::SCHEMES.iter().map(|word| ((*word).to_owned(), Anchor::Authorization)));
        anchors.extend(token::NKEY_ANCHORS.iter().map(|word| ((*word).to_owned(), Anchor::Nkey)));
        anchors.extend(token::HASHES.iter().map(|word| ((*word).to_owned(), Anchor::Hash)));
        anchors.push(("q~".to_owned(), Anchor::AzureAd));
        anchors.push(("://".to_owned(), Anchor::Url));
        anchors.push(("eyj".to_owned(), Anchor::Jwt));
        anchors.push(("-----begin ".to_owned(), Anchor::Pem));
        anchors.extend(rules.keywords().map(|word| (word.to_owned(), Anchor::Rule)));
        let (words, kinds): (Vec<String>, Vec<Anchor>) = anchors.into_iter().unzip();
        let anchors =
            Anchors::new(&words).map_err(|error| RulesError::Keywords { reason: error.to_string() })?;
        Ok(Self { anchors, kinds, rules })
    }

    /// Pushes a hit for every rule that is about the file at `path` by its path alone, whatever is in it.
    pub fn find_named(&self, path: &str, hits: &mut Vec<Hit>) {
        let named = |(rule, title): (&str, &str)| Hit {
            rule: rule.to_owned(),
            title: title.to_owned(),
            confidence: Confidence::High,
            span: 0..0,
            line: 1,
        };
        hits.extend(self.rules.named(path).map(named));
    }

    /// Pushes what `text` gives away, in order of place, without overlaps. `path` is for rules that name paths.
    pub fn find(&self, path: &str, text: &[u8], hits: &mut Vec<Hit>) {
        let mut found: Vec<Found<'_>> = Vec::new();
        // A name may hold several words (`secret_access_key`): it is read once.
        let mut named = 0;
        let mut windows = self.rules.windows(path);
        self.anchors.each(text, |word, at| {
            match self.kinds.get(word) {
                Some(Anchor::Issuer(index)) => found.extend(token::at(text, at, *index)),
                Some(Anchor::Name) if at.start >= named => {
                    let read = assignment::at(text, at);
                    named = read.named;
                    found.extend(read.found);
                }
                Some(Anchor::Url) => found.extend(url::at(text, at)),
                Some(Anchor::Authorization) => found.extend(authorization::at(text, at)),
                Some(Anchor::Jwt) => found.extend(jwt::at(text, at)),
                Some(Anchor::Pem) => found.extend(pem::at(text, at)),
                Some(Anchor::Nkey) => found.extend(token::nkey(text, at)),
                Some(Anchor::AzureAd) => found.extend(token::azure_ad(text, at)),
                Some(Anchor::Hash) => found.extend(token::hash(text, at)),
                Some(Anchor::Rule) => windows.add(at),
                Some(Anchor::Name) | None => {}
            }
            found.len() < MAX_HITS
        });
        // Rules that somebody brought come first, so that of equally sure hits theirs is the one that is told.
        let own = std::mem::take(&mut found);
        windows.search(text, &mut found);
        found.extend(own);
        best(&mut found);
        number(text, &found, hits);
    }
}

/// Of hits that overlap, the surest; of equally sure ones the first, because it is the more specific reader's.
fn best(found: &mut Vec<Found<'_>>) {
    found.sort_by(|a, b| a.span.start.cmp(&b.span.start).then(b.confidence.cmp(&a.confidence)));
    let mut kept: Vec<Found<'_>> = Vec::with_capacity(found.len());
    for hit in found.drain(..) {
        match kept.last_mut() {
            Some(last) if hit.span.start < last.span.end => {
                if hit.confidence > last.confidence {
                    *last = hit;
                }
            }
            _ => kept.push(hit),
        }
    }
    *found = kept;
}

fn number(text: &[u8], found: &[Found<'_>], hits: &mut Vec<Hit>) {
    let (mut line, mut from) = (1, 0);
    for hit in found.iter().take(MAX_HITS) {
        line += memchr::memchr_iter(b'\n', text.get(from..hit.span.start).unwrap_or_default()).count();
        from = hit.span.start;
        hits.push(Hit {
            rule: hit.rule.to_owned(),
            title: hit.title.to_owned(),
            confidence: hit.confidence,
            span: hit.span.clone(),
            line,
        });
    }
}
