//! Instructions that do not do what they seem to, and those that are missing.

use boltseal_model::Severity;

use super::{place, say, shown};
use crate::{
    checks::{Check, Look},
    dockerfile::Dockerfile,
    hit::Hits,
    leaf::Place,
};

pub const HEALTH: Check = Check {
    id: "build-no-healthcheck",
    severity: Severity::Low,
    title: "no health check",
    why: "An engine takes a process that hangs for one that works. Kubernetes has probes of its own and does not look at this.",
    fix: "add `HEALTHCHECK CMD …`, or `HEALTHCHECK NONE` where something else asks",
    sources: &["CIS Docker 4.6"],
    standard: None,
    only: &[],
    look: Look::Build(health),
};

fn health(file: &Dockerfile, hits: &mut Hits) {
    if !file.built().into_iter().any(|stage| file.of(stage, "HEALTHCHECK").next().is_some()) {
        let line = file.stages.last().map_or(1, |stage| stage.line);
        hits.say(&Place { line, path: "FROM".to_owned() }, "there is no HEALTHCHECK");
    }
}

pub const TWICE: Check = Check {
    id: "build-twice",
    severity: Severity::Low,
    title: "only the last of several counts",
    why: "The earlier ones are ignored, and one of them may be what was meant.",
    fix: "remove all but one",
    sources: &["Dockerfile reference: CMD"],
    standard: None,
    only: &[],
    look: Look::Build(twice),
};

fn twice(file: &Dockerfile, hits: &mut Hits) {
    for stage in 0..file.stages.len() {
        for word in ["CMD", "ENTRYPOINT", "HEALTHCHECK"] {
            for again in file.of(stage, word).skip(1) {
                say(hits, again, format!("there is a {word} before it in this stage"));
            }
        }
    }
}

pub const MAINTAINER: Check = Check {
    id: "build-maintainer",
    severity: Severity::Low,
    title: "MAINTAINER is gone",
    why: "The instruction is deprecated, and nobody reads what it writes.",
    fix: "write `LABEL org.opencontainers.image.authors=\"…\"`",
    sources: &["Dockerfile reference: MAINTAINER"],
    standard: None,
    only: &[],
    look: Look::Build(|file, hits| {
        for one in file.all("MAINTAINER") {
            say(hits, one, "MAINTAINER is used");
        }
    }),
};

pub const WORKDIR: Check = Check {
    id: "build-workdir",
    severity: Severity::Low,
    title: "working folder that depends on the one before",
    why: "Where it is depends on the base, and changes with it.",
    fix: "write the whole path: `WORKDIR /app`",
    sources: &["Dockerfile reference: WORKDIR"],
    standard: None,
    only: &[],
    look: Look::Build(workdir),
};

fn workdir(file: &Dockerfile, hits: &mut Hits) {
    for one in file.all("WORKDIR") {
        let path = one.words().join(" ");
        let on_windows = path.as_bytes().get(1) == Some(&b':') || path.starts_with('\\');
        if !path.starts_with(['/', '$', '%']) && !on_windows {
            say(hits, one, format!("the folder is \"{}\"", shown(&path)));
        }
    }
}

pub const SSH: Check = Check {
    id: "build-ssh",
    severity: Severity::Medium,
    title: "listens for SSH",
    why: "A way in that bypasses the orchestrator, with keys and passwords of its own.",
    fix: "leave the server out, and enter with `docker exec` or `kubectl exec`",
    sources: &["CIS Docker 5.7"],
    standard: None,
    only: &[],
    look: Look::Build(|file, hits| {
        ports(file, hits, |port| (port == 22).then_some("port 22 is that of SSH"));
    }),
};

pub const PORT: Check = Check {
    id: "build-port",
    severity: Severity::Medium,
    title: "port that does not exist",
    why: "The build fails, or nothing can be published there.",
    fix: "name a port from 1 to 65535",
    sources: &["RFC 6335 section 6"],
    standard: None,
    only: &[],
    look: Look::Build(|file, hits| {
        ports(file, hits, |port| (!(1..=65_535).contains(&port)).then_some("ports go from 1 to 65535"));
    }),
};

fn ports(file: &Dockerfile, hits: &mut Hits, bad: impl Fn(u64) -> Option<&'static str>) {
    for one in file.all("EXPOSE") {
        for word in one.words() {
            let number = word.split('/').next().unwrap_or_default();
            for port in number.split('-').filter_map(|text| text.parse().ok()) {
                if let Some(why) = bad(port) {
                    hits.say(&place(one), format!("EXPOSE {}: {why}", shown(&word)));
                }
            }
        }
    }
}
