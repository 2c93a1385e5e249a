//! Checks and standards applied to what was read.

use std::sync::Arc;

use boltseal_model::Severity;
use serde::Serialize;

use super::{ALL, Check, Look};
use crate::{
    hit::{Hit, Hits},
    leaf::Place,
    pss::{self, Control, Level, Version},
    read::Read,
    workload::Workload,
};

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The level of the Pod Security Standards for pods.
    pub level: Level,
    /// As it was in this version of Kubernetes.
    pub version: Version,
}

/// Something that should be otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The file as it was named.
    pub file: String,
    /// Counted from one.
    pub line: u32,
    /// The check, or the control of the Pod Security Standards.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// The level of the Pod Security Standards that demands it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Level>,
    /// `Deployment shop/web`
    pub subject: String,
    /// Where in the definition, as people of that orchestrator write it.
    pub path: String,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What was found, in a sentence without a full stop.
    pub found: String,
    /// Why it matters.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the demand comes from.
    pub sources: &'static [&'static str],
    /// Whether it is certain; where it is not, something could not be told from the file.
    pub sure: bool,
}

/// Where a finding is, besides its hit.
struct About<'a> {
    file: &'a Arc<str>,
    subject: &'a str,
    /// For what a platform has no word for.
    place: Place,
}

impl About<'_> {
    fn placed(&self, place: Place) -> Place {
        if place.line == 0 { self.place.clone() } else { place }
    }
}

/// Everything that should be otherwise about `read`, file by file and line by line.
pub fn run(read: &Read, options: Options) -> Vec<Finding> {
    let mut all = Vec::new();
    for workload in &read.workloads {
        let title = workload.title();
        let about = About { file: &workload.source.file, subject: &title, place: workload.place() };
        let is_pod = workload.source.orchestrator == "kubernetes";
        if is_pod {
            let broken = pss::judge(workload, options.level, options.version);
            all.extend(broken.into_iter().map(|(control, hit)| demanded(control, hit, &about)));
        }
        for check in ALL.iter().filter(|check| applies(check, workload.source.orchestrator)) {
            if is_pod && says_already(check, options) {
                continue;
            }
            if let Look::Workload(look) = check.look {
                all.extend(looked(|hits| look(workload, hits)).map(|hit| said(check, hit, &about)));
            }
        }
    }
    for object in &read.objects {
        let title = object.title();
        let about = About { file: &object.file, subject: &title, place: object.place() };
        for check in ALL.iter().filter(|check| applies(check, object.orchestrator)) {
            if let Look::Object(look) = check.look {
                all.extend(looked(|hits| look(object, hits)).map(|hit| said(check, hit, &about)));
            }
        }
    }
    for build in &read.builds {
        let place = Place { line: build.stages.first().map_or(1, |stage| stage.line), path: String::new() };
        let about = About { file: &build.file, subject: "Dockerfile", place };
        for check in ALL {
            if let Look::Build(look) = check.look {
                all.extend(looked(|hits| look(build, hits)).map(|hit| said(check, hit, &about)));
            }
        }
    }
    sort(&mut all);
    all
}

/// File by file and line by line.
pub(crate) fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        (&a.file, a.line, a.id, &a.path, &a.found).cmp(&(&b.file, b.line, b.id, &b.path, &b.found))
    });
}

/// What one check says about one workload.
pub(crate) fn look(check: &Check, workload: &Workload) -> Vec<Hit> {
    match check.look {
        Look::Workload(look) if applies(check, workload.source.orchestrator) => {
            looked(|hits| look(workload, hits)).collect()
        }
        _ => Vec::new(),
    }
}

fn applies(check: &Check, orchestrator: &str) -> bool {
    check.only.is_empty() || check.only.contains(&orchestrator)
}

/// Whether a control that holds says what the check would say.
fn says_already(check: &Check, options: Options) -> bool {
    let Some(id) = check.standard else { return false };
    options.level != Level::Privileged
        && pss::controls(options.level, options.version)
            .any(|control| control.id == id || control.replaces == Some(id))
}

fn looked(look: impl FnOnce(&mut Hits)) -> impl Iterator<Item = Hit> {
    let mut hits = Hits::default();
    look(&mut hits);
    hits.all().into_iter()
}

fn said(check: &'static Check, hit: Hit, about: &About<'_>) -> Finding {
    let place = about.placed(hit.place);
    Finding {
        file: about.file.to_string(),
        line: place.line,
        id: check.id,
        severity: check.severity,
        level: None,
        subject: about.subject.to_owned(),
        path: place.path,
        title: check.title,
        found: hit.found,
        why: check.why,
        fix: check.fix,
        sources: check.sources,
        sure: hit.sure,
    }
}

fn demanded(control: &'static Control, hit: Hit, about: &About<'_>) -> Finding {
    const SOURCES: &[&str] = &["Pod Security Standards"];
    let place = about.placed(hit.place);
    Finding {
        file: about.file.to_string(),
        line: place.line,
        id: control.id,
        severity: control.severity,
        level: Some(control.level),
        subject: about.subject.to_owned(),
        path: place.path,
        title: control.title,
        found: hit.found,
        why: control.why,
        fix: control.fix,
        sources: SOURCES,
        sure: hit.sure,
    }
}
