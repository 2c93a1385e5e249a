//! Whom a policy believes: the section `authorities:`, and keys that a rule names itself.
//!
//! A key or a trusted root may lie in a file beside the policy; its text is read once, with the policy, and is part of what
//! the policy's digest stands for. Whether a key is one, only who verifies with it can tell.

use boltseal_model::{Digest, Window};
use serde::Deserialize;
use serde_saphyr::Spanned;

use crate::{
    Error,
    notary::{Notary, NotaryFile},
    text::{Line, Moment, Name},
};

/// Keys and identities of a whole company. Every signature is held against each.
const MAX_AUTHORITIES: usize = 100;
/// Bytes of a file beside the policy: a trusted root with the history of all its keys has some tens of kilobytes.
pub(crate) const MAX_FILE: usize = 1 << 20;
/// How a key begins that is not the name of a file.
const PEM: &str = "-----BEGIN";

/// Somebody whose signatures a policy counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// What the policy calls them: the name, or that of the file of a key that a rule names itself.
    pub name: String,
    /// How they are known.
    pub who: Known,
    /// When what they signed counts, as logs and clocks prove the time.
    pub window: Window,
}

impl Authority {
    /// Who it is, in one sentence, with the limits that it has; of a key, by which its owner can tell it from another.
    pub fn words(&self) -> String {
        let who = match &self.who {
            Known::Key { pem, .. } => {
                let plain: String = pem.split_whitespace().collect();
                let digest = Digest::of(plain.as_bytes()).to_string();
                let short: String = digest.chars().take("sha256:".len() + 12).collect();
                format!("{} ({short} of its PEM)", self.who)
            }
            Known::Identity { .. } | Known::Notary(_) => self.who.to_string(),
        };
        if self.window.is_always() { who } else { format!("{who}; {}", self.window) }
    }
}

/// How somebody is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// By a key.
    Key {
        /// The public half, in PEM.
        pem: String,
        /// With a root (the text of a `trusted_root.json`), its log must have the signature.
        root: Option<String>,
        /// Without one: clocks whose word counts about the time, in PEM.
        clocks: Option<String>,
    },
    /// By an identity in a certificate.
    Identity {
        /// An address or a URI.
        subject: Text,
        /// Who vouches for it.
        issuer: Text,
        /// Whose certificates, logs and clocks count: the text of a `trusted_root.json`.
        root: String,
    },
    /// By a trust policy of Notary Project, of which a statement may be about some images only.
    Notary(Box<Notary>),
}

/// What a text must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// This.
    Exact(String),
    /// All of it matches this regular expression.
    Pattern(String),
}

/// Reads a file beside the policy, by its name there.
pub(crate) type Files<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// One entry of `authorities:`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuthorityFile {
    name: Name,
    /// In PEM, or the name of a file.
    key: Option<String>,
    identity: Option<Line>,
    identity_regexp: Option<Line>,
    issuer: Option<Line>,
    issuer_regexp: Option<Line>,
    /// The name of a file.
    trusted_root: Option<Line>,
    /// The name of a file.
    clocks: Option<Line>,
    notary: Option<NotaryFile>,
    not_before: Option<Moment>,
    not_after: Option<Moment>,
    revoked_at: Option<Moment>,
}

/// Authorities of a policy in the making.
pub(crate) struct Authorities<'f> {
    files: Files<'f>,
    pub(crate) all: Vec<Authority>,
    /// What was read, with the names under which it was.
    pub(crate) read: Vec<(String, String)>,
}

impl<'f> Authorities<'f> {
    pub(crate) fn new(entries: Vec<Spanned<AuthorityFile>>, files: Files<'f>) -> Result<Self, Error> {
        let mut this = Self { files, all: Vec::new(), read: Vec::new() };
        for entry in entries {
            let line = entry.referenced.line();
            let name = entry.value.name.0.clone();
            let added = this.declare(entry.value);
            added.map_err(|why| Error::Value { line, problem: format!("authority `{name}`: {why}") })?;
        }
        Ok(this)
    }

    /// The names in `by`, checked, and those of `keys`, added.
    pub(crate) fn named(&mut self, by: Vec<Name>, keys: Vec<Line>) -> Result<Vec<String>, String> {
        let mut names: Vec<String> = Vec::new();
        for Name(name) in by {
            if !self.all.iter().any(|one| one.name == name) {
                let known: Vec<&str> = self.all.iter().map(|one| one.name.as_str()).collect();
                let known = if known.is_empty() { "there are none".to_owned() } else { known.join(", ") };
                return Err(format!("there is no authority `{name}`; the authorities are: {known}"));
            }
            names.push(name);
        }
        for Line(file) in keys {
            let pem = self.file(&file)?;
            let who = Known::Key { pem, root: None, clocks: None };
            match self.all.iter().find(|one| one.name == file) {
                Some(known) if known.who != who => {
                    return Err(format!("an authority is called `{file}`, like the file of another key"));
                }
                Some(_) => {}
                None => self.add(Authority { name: file.clone(), who, window: Window::default() })?,
            }
            names.push(file);
        }
        names.sort_unstable();
        names.dedup();
        // In the order of the policy, as everywhere.
        let place = |name: &String| self.all.iter().position(|one| one.name == *name);
        names.sort_by_key(place);
        Ok(names)
    }

    /// Refuses those of `names` that sign nothing but images: what is asked for here is `thing`.
    pub(crate) fn say(&self, names: &[String], thing: &str) -> Result<(), String> {
        let mute = |one: &&Authority| matches!(one.who, Known::Notary(_)) && names.contains(&one.name);
        match self.all.iter().find(mute) {
            None => Ok(()),
            Some(one) => Err(format!(
                "`{}` is a trust policy of Notary Project, in which images are signed and nothing is said: {thing} need an \
                 authority with a key or an identity",
                one.name
            )),
        }
    }

    fn declare(&mut self, mut file: AuthorityFile) -> Result<(), String> {
        let window = window(&file)?;
        if let Some(notary) = file.notary.take() {
            return self.notary(&file, notary, window);
        }
        let root = file.trusted_root.map(|Line(name)| self.file(&name)).transpose()?;
        let clocks = file.clocks.map(|Line(name)| self.file(&name)).transpose()?;
        if clocks.is_some() && (file.key.is_none() || root.is_some()) {
            return Err(
                "`clocks` belongs to a key without `trusted_root`: that one names the clocks of its instance"
                    .to_owned(),
            );
        }
        if !window.is_always() && root.is_none() && clocks.is_none() {
            return Err("`not_before`, `not_after` and `revoked_at` ask when something was signed: write `trusted_root` or \
                        `clocks`, whose word counts about that"
                .to_owned());
        }
        let subject = text(file.identity, file.identity_regexp, "identity")?;
        let issuer = text(file.issuer, file.issuer_regexp, "issuer")?;
        let who = match (file.key, subject, issuer, root) {
            (Some(key), None, None, root) => {
                let pem = if key.trim_start().starts_with(PEM) { key } else { self.file(key.trim())? };
                Known::Key { pem, root, clocks }
            }
            (None, Some(subject), Some(issuer), Some(root)) => Known::Identity { subject, issuer, root },
            (None, Some(_), Some(_), None) => {
                return Err("an identity needs `trusted_root`, the name of the file `trusted_root.json` of the sigstore \
                            instance whose certificates count"
                    .to_owned());
            }
            (None, Some(_), None, _) | (None, None, Some(_), _) => {
                return Err("write `identity` and `issuer`: who it is, and who vouches for that".to_owned());
            }
            (Some(_), ..) => return Err("is known by `key` or by `identity`, not by both".to_owned()),
            (None, None, None, _) => {
                return Err(
                    "write `key` (PEM, or the name of a file), or `identity` and `issuer`, or `notary`"
                        .to_owned(),
                );
            }
        };
        self.add(Authority { name: file.name.0, who, window })
    }

    fn notary(&mut self, file: &AuthorityFile, notary: NotaryFile, window: Window) -> Result<(), String> {
        let AuthorityFile { name: Name(name), key, identity, identity_regexp, issuer, issuer_regexp, .. } =
            &file;
        let identities = [identity, identity_regexp, issuer, issuer_regexp, &file.trusted_root, &file.clocks];
        if key.is_some() || identities.into_iter().any(Option::is_some) {
            return Err(
                "is known by `notary` alone: its trust policy names identities, authorities and clocks"
                    .to_owned(),
            );
        }
        let notary = notary.compile(&mut |name, most| self.file_of(name, most))?;
        self.add(Authority { name: name.clone(), who: Known::Notary(Box::new(notary)), window })
    }

    fn add(&mut self, new: Authority) -> Result<(), String> {
        if self.all.len() >= MAX_AUTHORITIES {
            return Err(format!("more than {MAX_AUTHORITIES} authorities"));
        }
        if self.all.iter().any(|one| one.name == new.name) {
            return Err("two authorities have this name: reasons name them, so give each its own".to_owned());
        }
        // Else one person would be two of two.
        if let Some(twin) = self.all.iter().find(|one| same(&one.who, &new.who)) {
            return Err(format!("is the same as `{}`: use that name", twin.name));
        }
        self.all.push(new);
        Ok(())
    }

    fn file(&mut self, name: &str) -> Result<String, String> {
        self.file_of(name, MAX_FILE)
    }

    fn file_of(&mut self, name: &str, most: usize) -> Result<String, String> {
        let text = (self.files)(name)?;
        if text.len() > most {
            return Err(format!("{name} has {} bytes, more than {most}", text.len()));
        }
        if self.read.iter().all(|(known, _)| known != name) {
            self.read.push((name.to_owned(), text.clone()));
        }
        Ok(text)
    }
}

fn same(a: &Known, b: &Known) -> bool {
    match (a, b) {
        (Known::Key { pem: a, .. }, Known::Key { pem: b, .. }) => {
            a.split_whitespace().eq(b.split_whitespace())
        }
        (a, b) => a == b,
    }
}

fn window(file: &AuthorityFile) -> Result<Window, String> {
    let window = Window {
        not_before: file.not_before.map(Moment::first),
        not_after: file.not_after.map(Moment::last),
        revoked_at: file.revoked_at.map(Moment::first),
    };
    match (window.not_before, window.not_after) {
        (Some(from), Some(until)) if until < from => {
            Err(format!("counts from {from} and until {until}, which is never"))
        }
        _ => Ok(window),
    }
}

fn text(exact: Option<Line>, pattern: Option<Line>, what: &str) -> Result<Option<Text>, String> {
    match (exact, pattern) {
        (Some(_), Some(_)) => Err(format!("write `{what}` or `{what}_regexp`, not both")),
        (Some(Line(exact)), None) => Ok(Some(Text::Exact(exact))),
        (None, Some(Line(pattern))) => Ok(Some(Text::Pattern(pattern))),
        (None, None) => Ok(None),
    }
}

impl std::fmt::Display for Known {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let told = |text: &Text| match text {
            Text::Exact(text) | Text::Pattern(text) => text.clone(),
        };
        match self {
            Self::Key { root: None, clocks: None, .. } => f.write_str("holds a key"),
            Self::Key { root: None, .. } => f.write_str("holds a key; clocks say when"),
            Self::Key { root: Some(_), .. } => f.write_str("holds a key; signatures are in the log"),
            Self::Identity { subject, issuer, .. } => {
                write!(f, "is {}, says {}", told(subject), told(issuer))
            }
            Self::Notary(notary) => f.write_str(&notary.words()),
        }
    }
}
