//! The `ignore:` list of `.grype.yaml`. Other settings of that file are another program's and are left alone.
//!
//! A rule ignores what fits every line of it. Rules with lines that nobody can check here (a name space of Grype's
//! database, how Grype matched) ignore nothing, and the report says so.

use boltseal_model::Status;
use serde::{Deserialize, de::IgnoredAny};

use super::{
    IgnoreError, IgnoreFile,
    rule::{Condition, FixState, Name, Rule, glob, shown},
    yaml,
};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    ignore: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Entry {
    vulnerability: Option<String>,
    #[serde(default)]
    include_aliases: bool,
    reason: Option<String>,
    namespace: Option<IgnoredAny>,
    fix_state: Option<String>,
    package: Option<Package>,
    vex_status: Option<String>,
    vex_justification: Option<IgnoredAny>,
    match_type: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Package {
    name: Option<String>,
    version: Option<String>,
    language: Option<String>,
    r#type: Option<String>,
    location: Option<String>,
    upstream_name: Option<String>,
}

pub(super) fn read(text: &str) -> Result<IgnoreFile, IgnoreError> {
    let file: File = yaml::read(text)?;
    let mut read = IgnoreFile::default();
    for (index, entry) in file.ignore.unwrap_or_default().into_iter().enumerate() {
        let label = entry.vulnerability.as_deref().map_or_else(|| format!("rule {}", index + 1), shown);
        if let Some(line) = unreadable(&entry) {
            read.unread.push(format!("{label}: `{line}` cannot be checked, so the rule ignores nothing"));
            continue;
        }
        let conditions =
            conditions(&entry).map_err(|problem| IgnoreError::Value(format!("{label}: {problem}")))?;
        if conditions.is_empty() {
            read.unread.push(format!("{label}: it says nothing about what to ignore"));
            continue;
        }
        let reason = entry.reason.filter(|text| !text.trim().is_empty());
        read.rules.push(Rule { label, conditions, until: None, reason });
    }
    Ok(read)
}

fn unreadable(entry: &Entry) -> Option<&'static str> {
    [
        ("namespace", entry.namespace.is_some()),
        ("vex-justification", entry.vex_justification.is_some()),
        ("match-type", entry.match_type.is_some()),
    ]
    .into_iter()
    .find_map(|(line, there)| there.then_some(line))
}

fn conditions(entry: &Entry) -> Result<Vec<Condition>, String> {
    let mut all = Vec::new();
    if let Some(id) = given(entry.vulnerability.as_ref()) {
        all.push(if entry.include_aliases { Condition::Id(id) } else { Condition::ListedId(id) });
    }
    if let Some(word) = given(entry.fix_state.as_ref()) {
        all.push(Condition::Fix(fix_state(&word).ok_or_else(|| unknown("fix-state", &word))?));
    }
    if let Some(word) = given(entry.vex_status.as_ref()) {
        all.push(Condition::Status(vex_status(&word).ok_or_else(|| unknown("vex-status", &word))?));
    }
    let Some(package) = &entry.package else { return Ok(all) };
    if let Some(name) = given(package.name.as_ref()) {
        all.push(Condition::Name(Name::parse(&name)?));
    }
    if let Some(name) = given(package.upstream_name.as_ref()) {
        all.push(Condition::Source(Name::parse(&name)?));
    }
    if let Some(version) = given(package.version.as_ref()) {
        all.push(Condition::Version(version));
    }
    for (line, word) in [("type", &package.r#type), ("language", &package.language)] {
        if let Some(word) = given(word.as_ref()) {
            all.push(Condition::Type(purl_types(&word).ok_or_else(|| unknown(line, &word))?));
        }
    }
    if let Some(location) = given(package.location.as_ref()) {
        all.push(Condition::Path(vec![glob(&location)?]));
    }
    Ok(all)
}

fn given(text: Option<&String>) -> Option<String> {
    text.filter(|text| !text.is_empty()).cloned()
}

fn unknown(line: &str, word: &str) -> String {
    format!("`{}` is not known as a {line}", shown(word))
}

fn fix_state(word: &str) -> Option<FixState> {
    Some(match word {
        "fixed" => FixState::Fixed,
        "not-fixed" => FixState::NotFixed,
        "wont-fix" => FixState::WontFix,
        "unknown" => FixState::Unknown,
        _ => return None,
    })
}

/// What vendors say about their packages is what VEX says.
fn vex_status(word: &str) -> Option<&'static [Status]> {
    Some(match word {
        "not_affected" => &[Status::NotAffected],
        "affected" => &[Status::Affected, Status::WillNotFix, Status::EndOfLife],
        "under_investigation" => &[Status::UnderInvestigation],
        // What is fixed is no finding.
        "fixed" => &[],
        _ => return None,
    })
}

/// Grype's types of packages and languages, as types of package URLs.
fn purl_types(word: &str) -> Option<&'static [&'static str]> {
    Some(match word {
        "deb" => &["deb"],
        "rpm" => &["rpm"],
        "apk" => &["apk"],
        "alpm" => &["alpm"],
        "portage" => &["ebuild"],
        "npm" | "javascript" => &["npm"],
        "python" => &["pypi"],
        "conda" => &["conda"],
        "gem" | "ruby" => &["gem"],
        "go-module" | "go" => &["golang"],
        "java-archive" | "jenkins-plugin" | "java" => &["maven"],
        "rust-crate" | "rust" => &["cargo"],
        "dotnet" => &["nuget"],
        "php-composer" | "php" => &["composer"],
        "R-package" | "R" => &["cran"],
        "dart-pub" | "dart" => &["pub"],
        "hex" | "elixir" | "erlang" => &["hex"],
        "hackage" | "haskell" => &["hackage"],
        "swift" => &["swift"],
        "pod" => &["cocoapods"],
        "conan" | "c++" => &["conan"],
        "bitnami" => &["bitnami"],
        "binary" => &["generic", "bitnami"],
        _ => return None,
    })
}
