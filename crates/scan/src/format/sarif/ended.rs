//! A distribution that gets no security fixes any more, as a result: what is found in it from then on stays.

use boltseal_model::{Digest, Report};

use super::{
    shape::{
        ArtifactLocation, Configuration, Fingerprints, Help, Location, Outcome, PhysicalLocation, Properties,
        Region, Rule, RuleProperties,
    },
    text,
};

/// What it is called.
const ID: &str = "end-of-life";
const ADVICE: &str = "Vulnerabilities that are found in it now are neither fixed nor, in the end, listed. Build the image on \
                      a release that its vendor supports.";

pub(super) fn add<'a>(report: &'a Report, rules: &mut Vec<Rule<'a>>, results: &mut Vec<Outcome<'a>>) {
    let Some((distro, last)) = report.ended() else { return };
    results.push(Outcome {
        rule_id: ID.into(),
        rule_index: rules.len(),
        level: "warning",
        message: text(format!("security support of {} ended on {last}", distro.name)),
        locations: [Location {
            physical_location: PhysicalLocation {
                artifact_location: ArtifactLocation {
                    uri: "etc/os-release".to_owned(),
                    uri_base_id: "IMAGE",
                },
                region: Region { start_line: 1 },
            },
            logical_locations: None,
        }],
        partial_fingerprints: Fingerprints {
            release: Some(Digest::of(format!("{} {}", distro.id, distro.version).as_bytes()).hex()),
            ..Fingerprints::default()
        },
        suppressions: Vec::new(),
        properties: Properties::Distro(distro),
    });
    rules.push(Rule {
        id: ID.into(),
        short_description: text("The distribution is past the end of its security support"),
        help_uri: None,
        help: Help { text: ADVICE.to_owned(), markdown: ADVICE.to_owned() },
        default_configuration: Configuration { level: "warning" },
        properties: RuleProperties {
            security_severity: "5.0".to_owned(),
            tags: vec!["end-of-life".to_owned(), "security".to_owned()],
        },
    });
}
