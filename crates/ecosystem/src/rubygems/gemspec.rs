//! `*.gemspec`: Ruby that assigns texts. What is assigned by a program cannot be known without running it.

use std::collections::BTreeMap;

/// What a specification says of its gem.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Gemspec {
    pub name: String,
    /// A text, or an expression that is none.
    pub version: Value,
    pub licenses: Vec<String>,
    /// Files that are read first, without `.rb`.
    pub requires: Vec<String>,
    /// Constants and their texts.
    pub constants: BTreeMap<String, String>,
}

/// What stands to the right of an assignment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Value {
    #[default]
    Missing,
    Text(String),
    /// The last word of a constant's name: `VERSION` of `App::VERSION`.
    Constant(String),
}

impl Gemspec {
    /// Reads the lines that are understood; `None` where nothing makes it a specification.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut spec = Self::default();
        let mut is_one = false;
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            is_one |= line.contains("Gem::Specification.new");
            if let Some(files) = line.strip_prefix("require_relative") {
                spec.requires.extend(required(files));
                continue;
            }
            let Some((left, right)) = line.split_once('=').filter(|(_, right)| !right.starts_with('='))
            else {
                continue;
            };
            let (left, right) = (left.trim(), right.trim().trim_start_matches('='));
            match left.rsplit_once('.').map_or(left, |(_, field)| field) {
                "name" if is_one => quoted(right).unwrap_or_default().clone_into(&mut spec.name),
                "version" if is_one => spec.version = Value::of(right),
                "license" | "licenses" if is_one => spec.licenses = texts(right),
                constant if left == constant && constant.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    spec.constants.extend(quoted(right).map(|text| (constant.to_owned(), text.to_owned())));
                }
                _ => {}
            }
        }
        is_one.then_some(spec)
    }

    /// The constants of any Ruby file.
    pub(super) fn constants(text: &str) -> BTreeMap<String, String> {
        let lines = text.lines().map(str::trim).filter_map(|line| line.split_once('='));
        lines
            .filter_map(|(name, value)| Some((name.trim().to_owned(), quoted(value.trim())?.to_owned())))
            .collect()
    }
}

impl Value {
    /// `"1.0".freeze`, `Gem::Version.new("1.0")`, `App::VERSION`.
    fn of(expression: &str) -> Self {
        let inner = expression.strip_prefix("Gem::Version.new(").unwrap_or(expression).trim_start();
        if let Some(text) = quoted(inner) {
            return Self::Text(text.to_owned());
        }
        let word = inner.split([' ', '#']).next().unwrap_or_default();
        let last = word.rsplit("::").next().unwrap_or_default();
        let is_constant = last.starts_with(|c: char| c.is_ascii_uppercase())
            && last.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if is_constant { Self::Constant(last.to_owned()) } else { Self::Missing }
    }
}

/// The text at the beginning of `expression`.
fn quoted(expression: &str) -> Option<&str> {
    let quote = expression.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (text, _) = expression.get(1..)?.split_once(quote)?;
    (!text.contains("#{")).then_some(text)
}

/// All texts of a list.
fn texts(expression: &str) -> Vec<String> {
    expression.split(['"', '\'']).skip(1).step_by(2).map(str::to_owned).collect()
}

/// `'lib/app/version'`, `File.join('lib', 'app', 'version')`, and the same below `__FILE__`.
fn required(expression: &str) -> Option<String> {
    let parts = texts(expression);
    let path = parts.join("/");
    let path = path.trim_start_matches('/').trim_end_matches(".rb");
    (!path.is_empty()).then(|| format!("{path}.rb"))
}
