//! Credentials as results: those to do something about, not what published packages hold.

use std::collections::BTreeMap;

use boltseal_model::{Confidence, Digest, Leak, Place, Report};

use super::{
    relative_uri,
    shape::{
        ArtifactLocation, Configuration, Fingerprints, Help, Location, LogicalLocation, Outcome,
        PhysicalLocation, Properties, Region, Rule, RuleProperties,
    },
    text,
};

const ADVICE: &str = "Revoke it where it was issued: everybody who can pull the image can read it. Then keep it out of the \
                      build (a build secret, or a file mounted at run time) and build the image anew.";

pub(super) fn add<'a>(report: &'a Report, rules: &mut Vec<Rule<'a>>, results: &mut Vec<Outcome<'a>>) {
    let leaks: Vec<&Leak> = report.leaks.iter().flatten().filter(|leak| leak.counts()).collect();
    let mut index = BTreeMap::new();
    for leak in &leaks {
        index.entry(leak.rule.as_str()).or_insert_with(|| {
            rules.push(rule(leak));
            rules.len() - 1
        });
    }
    let place = |leak: &'a Leak| outcome(leak, index.get(leak.rule.as_str()).copied().unwrap_or_default());
    results.extend(leaks.into_iter().map(place));
}

fn rule(leak: &Leak) -> Rule<'_> {
    Rule {
        id: format!("secret/{}", leak.rule).into(),
        short_description: text(leak.title.as_str()),
        help_uri: None,
        help: Help { text: ADVICE.to_owned(), markdown: ADVICE.to_owned() },
        default_configuration: Configuration { level: level(leak) },
        properties: RuleProperties {
            security_severity: if leak.confidence >= Confidence::High { "8.0" } else { "5.0" }.to_owned(),
            tags: vec!["secret".to_owned(), "security".to_owned()],
        },
    }
}

fn level(leak: &Leak) -> &'static str {
    if leak.confidence >= Confidence::High { "error" } else { "warning" }
}

fn outcome(leak: &Leak, rule_index: usize) -> Outcome<'_> {
    let hidden = if leak.hidden { "; a later layer deletes the file, which does not help" } else { "" };
    let (uri, line, name) = match &leak.place {
        Place::File { path, line } => (relative_uri(path), *line, None),
        Place::Variable { name } | Place::Label { name } => {
            ("config.json".to_owned(), 1, Some(name.as_str()))
        }
        Place::Command | Place::History { .. } => ("config.json".to_owned(), 1, None),
    };
    // The line is left out, so that a secret that moves is not a new alert.
    let place = match &leak.place {
        Place::File { path, .. } => path.clone(),
        place => place.to_string(),
    };
    Outcome {
        rule_id: format!("secret/{}", leak.rule).into(),
        rule_index,
        level: level(leak),
        message: text(format!("{} in {} ({}){hidden}", leak.title, leak.place, leak.confidence.word())),
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation { uri, uri_base_id: "IMAGE" },
                region: Region { start_line: line },
            },
            logical_locations: name
                .map(|name| [LogicalLocation { name, fully_qualified_name: name, kind: "variable" }]),
        }],
        partial_fingerprints: Fingerprints {
            secret_in_place: Some(Digest::of(format!("{}\n{place}", leak.rule).as_bytes()).hex()),
            ..Fingerprints::default()
        },
        suppressions: Vec::new(),
        properties: Properties::Leak(leak),
    }
}
