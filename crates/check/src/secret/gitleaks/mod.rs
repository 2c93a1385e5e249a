//! Rules in the format of gitleaks (`.gitleaks.toml`): what teams already have.
//!
//! Read are `[[rules]]` with `id`, `description`, `regex`, `path`, `entropy`, `secretGroup`, `keywords` and their
//! allow-lists, and the global `[allowlist]` / `[[allowlists]]`: `paths`, `regexes`, `regexTarget`, `stopwords`,
//! `condition`. A rule of a path alone (a key store) is about files of any kind, whatever is in them ([`Rules::named`]).
//! `extend` and commits are not: an image has no commits, and nothing is fetched. Unknown keys are ignored, as that tool
//! does.

mod language;

use std::ops::Range;

use regex::bytes::Regex;
use serde::Deserialize;

use self::language::compile;
use super::{Confidence, Found, random};

/// Bytes of a file of rules; the one that the tool ships has 120 KiB.
pub const MAX_FILE: usize = 2 << 20;
/// Rules in a file.
pub const MAX_RULES: usize = 2000;
/// Bytes around a keyword in which its rule is tried; longer matches are cut off there.
const WINDOW: usize = 2048;

/// Rules that somebody brought.
#[derive(Debug, Default)]
pub struct Rules {
    all: Vec<Rule>,
    keywords: Vec<String>,
    allow: Vec<Allow>,
}

#[derive(Debug)]
struct Rule {
    id: String,
    description: String,
    regex: Option<Regex>,
    path: Option<Regex>,
    entropy: f32,
    group: usize,
    keywords: Vec<String>,
    allow: Vec<Allow>,
}

#[derive(Debug, Default)]
struct Allow {
    paths: Vec<Regex>,
    regexes: Vec<Regex>,
    target: Target,
    stopwords: Vec<String>,
    all: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Target {
    #[default]
    Secret,
    Match,
    Line,
}

/// Why a file of rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RulesError {
    /// Too long.
    #[error("the file of rules has {bytes} bytes, more than {MAX_FILE}: split it")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Too many rules.
    #[error("the file has {count} rules, more than {MAX_RULES}: split it")]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Not TOML, or not of this shape.
    #[error("not a file of gitleaks rules: {0}")]
    Shape(#[from] toml::de::Error),
    /// Keywords that no automaton can be made of.
    #[error("the keywords of the rules cannot be searched for: {reason}")]
    Keywords {
        /// What is wrong with them.
        reason: String,
    },
    /// An expression that cannot be compiled.
    #[error("rule `{rule}`: its expression cannot be used: {reason}")]
    Expression {
        /// The rule's id; empty for the global allow-list.
        rule: String,
        /// What is wrong with it.
        reason: String,
    },
}

#[derive(Deserialize)]
struct FileShape {
    #[serde(default)]
    rules: Vec<RuleShape>,
    allowlist: Option<AllowShape>,
    #[serde(default)]
    allowlists: Vec<AllowShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuleShape {
    id: String,
    #[serde(default)]
    description: String,
    regex: Option<String>,
    path: Option<String>,
    #[serde(default)]
    entropy: f32,
    #[serde(default)]
    secret_group: usize,
    #[serde(default)]
    keywords: Vec<String>,
    allowlist: Option<AllowShape>,
    #[serde(default)]
    allowlists: Vec<AllowShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AllowShape {
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    regexes: Vec<String>,
    #[serde(default)]
    regex_target: String,
    #[serde(default)]
    stopwords: Vec<String>,
    #[serde(default)]
    condition: String,
}

impl Rules {
    /// Reads a `.gitleaks.toml`.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        if text.len() > MAX_FILE {
            return Err(RulesError::TooLong { bytes: text.len() });
        }
        let file: FileShape = toml::from_str(text)?;
        if file.rules.len() > MAX_RULES {
            return Err(RulesError::TooMany { count: file.rules.len() });
        }
        let allow = file.allowlist.into_iter().chain(file.allowlists);
        let allow = allow.map(|shape| Allow::new("", shape)).collect::<Result<_, _>>()?;
        let rules = file.rules.into_iter().map(Rule::new).collect::<Result<Vec<_>, _>>()?;
        let mut keywords: Vec<String> = rules.iter().flat_map(|rule| rule.keywords.iter().cloned()).collect();
        keywords.sort();
        keywords.dedup();
        Ok(Self { all: rules, keywords, allow })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn keywords(&self) -> impl Iterator<Item = &str> {
        self.keywords.iter().map(String::as_str)
    }

    /// The rules that are about the file at `path` by its path alone: id and description.
    pub(crate) fn named<'r>(&'r self, path: &'r str) -> impl Iterator<Item = (&'r str, &'r str)> {
        let allowed = |allow: &Allow| allow.allows_path(path);
        let rules = self.all.iter().filter(move |rule| {
            let meant = |regex: &Regex| regex.is_match(path.as_bytes());
            rule.regex.is_none()
                && rule.path.as_ref().is_some_and(meant)
                && !rule.allow.iter().chain(&self.allow).any(allowed)
        });
        rules.map(|rule| (rule.id.as_str(), rule.description.as_str()))
    }

    /// Where in a file at `path` rules have to be tried.
    pub(crate) fn windows<'r>(&'r self, path: &'r str) -> Windows<'r> {
        let skipped = self.all.is_empty() || self.allow.iter().any(|allow| allow.allows_path(path));
        Windows { rules: self, path, skipped, spans: Vec::new() }
    }
}

/// Places around keywords.
pub(crate) struct Windows<'r> {
    rules: &'r Rules,
    path: &'r str,
    skipped: bool,
    spans: Vec<Range<usize>>,
}

impl<'r> Windows<'r> {
    pub fn add(&mut self, at: Range<usize>) {
        if self.skipped {
            return;
        }
        let span = at.start.saturating_sub(WINDOW)..at.end + WINDOW;
        match self.spans.last_mut() {
            Some(last) if span.start <= last.end => last.end = span.end.max(last.end),
            _ => self.spans.push(span),
        }
    }

    /// Tries each rule in the windows that hold one of its keywords; rules without keywords in the whole text.
    pub fn search(self, text: &[u8], found: &mut Vec<Found<'r>>) {
        if self.skipped {
            return;
        }
        let whole = Range { start: 0, end: text.len() };
        for rule in &self.rules.all {
            let here = rule.path.as_ref().map(|path| path.is_match(self.path.as_bytes()));
            let Some(regex) = rule.regex.as_ref().filter(|_| here != Some(false)) else { continue };
            let spans = if rule.keywords.is_empty() { std::slice::from_ref(&whole) } else { &self.spans };
            for span in spans {
                let window = text.get(span.start..span.end.min(text.len())).unwrap_or_default();
                if rule.keywords.is_empty() || rule.keywords.iter().any(|word| holds(window, word.as_bytes()))
                {
                    for captures in regex.captures_iter(window) {
                        found.extend(self.accept(rule, &captures, window, span.start));
                    }
                }
            }
        }
    }

    fn accept(
        &self,
        rule: &'r Rule,
        captures: &regex::bytes::Captures<'_>,
        window: &[u8],
        offset: usize,
    ) -> Option<Found<'r>> {
        let whole = captures.get(0)?;
        // Group 0 means: the first group that took part, or everything.
        let group = match rule.group {
            0 => {
                captures.iter().skip(1).flatten().find(|group| !group.as_bytes().is_empty()).unwrap_or(whole)
            }
            index => captures.get(index)?,
        };
        let secret = group.as_bytes();
        if secret.is_empty() || (rule.entropy > 0.0 && random::entropy(secret) <= rule.entropy) {
            return None;
        }
        let line = line_of(window, group.start());
        let allowed = |allow: &Allow| allow.allows(self.path, secret, whole.as_bytes(), line);
        if rule.allow.iter().any(allowed) || self.rules.allow.iter().any(allowed) {
            return None;
        }
        let span = offset + group.start()..offset + group.end();
        Some(Found { rule: &rule.id, title: &rule.description, confidence: Confidence::High, span })
    }
}

fn line_of(text: &[u8], at: usize) -> &[u8] {
    let start = text
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |index| index + 1);
    let rest = text.get(start..).unwrap_or_default();
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    rest.get(..end).unwrap_or_default()
}

fn holds(text: &[u8], word: &[u8]) -> bool {
    !word.is_empty() && text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

impl Rule {
    fn new(shape: RuleShape) -> Result<Self, RulesError> {
        let compile = |text: Option<String>| text.map(|text| compile(&shape.id, &text)).transpose();
        let (regex, path) = (compile(shape.regex)?, compile(shape.path)?);
        let allow = shape.allowlist.into_iter().chain(shape.allowlists);
        let allow = allow.map(|allow| Allow::new(&shape.id, allow)).collect::<Result<_, _>>()?;
        let keywords =
            shape.keywords.into_iter().map(|word| word.to_ascii_lowercase()).filter(|word| !word.is_empty());
        Ok(Self {
            description: if shape.description.is_empty() { shape.id.clone() } else { shape.description },
            id: shape.id,
            regex,
            path,
            entropy: shape.entropy,
            group: shape.secret_group,
            keywords: keywords.collect(),
            allow,
        })
    }
}

impl Allow {
    fn new(rule: &str, shape: AllowShape) -> Result<Self, RulesError> {
        let all =
            |texts: Vec<String>| texts.iter().map(|text| compile(rule, text)).collect::<Result<Vec<_>, _>>();
        Ok(Self {
            paths: all(shape.paths)?,
            regexes: all(shape.regexes)?,
            target: match shape.regex_target.as_str() {
                "match" => Target::Match,
                "line" => Target::Line,
                _ => Target::Secret,
            },
            stopwords: shape.stopwords.into_iter().map(|word| word.to_ascii_lowercase()).collect(),
            all: shape.condition.eq_ignore_ascii_case("and"),
        })
    }

    fn allows_path(&self, path: &str) -> bool {
        !self.all && self.paths.iter().any(|regex| regex.is_match(path.as_bytes()))
    }

    fn allows(&self, path: &str, secret: &[u8], whole: &[u8], line: &[u8]) -> bool {
        let target = match self.target {
            Target::Secret => secret,
            Target::Match => whole,
            Target::Line => line,
        };
        let checks = [
            (!self.paths.is_empty(), self.paths.iter().any(|regex| regex.is_match(path.as_bytes()))),
            (!self.regexes.is_empty(), self.regexes.iter().any(|regex| regex.is_match(target))),
            (!self.stopwords.is_empty(), self.stopwords.iter().any(|word| holds(secret, word.as_bytes()))),
        ];
        let mut present = checks.iter().filter(|(present, _)| *present).map(|(_, allows)| *allows);
        if self.all {
            checks.iter().any(|(present, _)| *present) && present.all(|allows| allows)
        } else {
            present.any(|allows| allows)
        }
    }
}
