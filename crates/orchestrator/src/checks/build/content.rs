//! What gets into an image.

use boltseal_model::Severity;

use super::{say, shown};
use crate::{
    checks::{Check, Look, secrets},
    dockerfile::{Dockerfile, Instruction},
    hit::Hits,
};

/// Ends of archives that `ADD` unpacks.
const ARCHIVES: [&str; 8] = [".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst"];

pub const ADD: Check = Check {
    id: "build-add",
    severity: Severity::Low,
    title: "ADD where COPY does",
    why: "ADD also unpacks and fetches: what arrives depends on what the source is.",
    fix: "write COPY",
    sources: &["CIS Docker 4.9"],
    standard: None,
    only: &[],
    look: Look::Build(add),
};

fn add(file: &Dockerfile, hits: &mut Hits) {
    for one in file.all("ADD") {
        let plain = |source: &String| !is_remote(source) && !ARCHIVES.iter().any(|end| source.ends_with(end));
        if one.documents.is_empty()
            && let Some(source) = sources(one).iter().find(|source| plain(source))
        {
            say(hits, one, format!("{} is copied with ADD", shown(source)));
        }
    }
}

pub const REMOTE: Check = Check {
    id: "build-add-url",
    severity: Severity::Medium,
    title: "adds what an address has today",
    why: "Nobody looks at what arrives: whoever has the server, or the way to it, decides what is in the image.",
    fix: "say what it must be: `ADD --checksum=sha256:… URL`; of a git repository name the commit",
    sources: &["CIS Docker 4.9", "MCSB DS-6"],
    standard: None,
    only: &[],
    look: Look::Build(remote),
};

fn remote(file: &Dockerfile, hits: &mut Hits) {
    for one in file.all("ADD") {
        if one.flags.iter().any(|flag| flag.starts_with("--checksum=")) {
            continue;
        }
        let is_commit = |source: &str| {
            source.split_once('#').is_some_and(|(_, at)| {
                at.len() >= 40 && at.bytes().take(40).all(|byte| byte.is_ascii_hexdigit())
            })
        };
        let floats = |source: &&String| is_remote(source) && !is_commit(source);
        if let Some(source) = sources(one).iter().find(floats) {
            say(hits, one, format!("{} is added unchecked", shown(source)));
        }
    }
}

fn is_remote(source: &str) -> bool {
    ["http://", "https://", "git@", "git://", "ssh://"].iter().any(|start| source.starts_with(start))
}

/// Everything but the place that it goes to.
fn sources(one: &Instruction) -> Vec<String> {
    let mut words = one.words();
    words.pop();
    words
}

pub const SECRET: Check = Check {
    id: "build-secret",
    severity: Severity::High,
    title: "credential in the image",
    why: "Variables and arguments of a build stay in the image and its history: whoever can pull it has them.",
    fix: "hand it in for one step alone: `RUN --mount=type=secret,id=token …`, and `docker build --secret id=token,src=FILE`",
    sources: &["CIS Docker 4.10"],
    standard: None,
    only: &[],
    look: Look::Build(secret),
};

fn secret(file: &Dockerfile, hits: &mut Hits) {
    for one in file.instructions.iter().filter(|one| matches!(one.word.as_str(), "ENV" | "ARG")) {
        for (name, value) in one.pairs() {
            match value {
                Some(value) if secrets::is_secret(&name, &value) && !value.starts_with('$') => {
                    say(hits, one, format!("{} is set in plain text", shown(&name)));
                }
                // What is handed in as an argument is in the history of the image.
                None if one.word == "ARG" && secrets::says_secret(&name) => {
                    say(hits, one, format!("{} is an argument of the build", shown(&name)));
                }
                _ => {}
            }
        }
    }
}

pub const SLASH: Check = Check {
    id: "build-copy-folder",
    severity: Severity::Medium,
    title: "copies several files to what is no folder",
    why: "The build fails where the place has no slash at its end.",
    fix: "end the last argument with `/`",
    sources: &["Dockerfile reference: COPY"],
    standard: None,
    only: &[],
    look: Look::Build(slash),
};

fn slash(file: &Dockerfile, hits: &mut Hits) {
    for one in file.instructions.iter().filter(|one| matches!(one.word.as_str(), "ADD" | "COPY")) {
        let words = one.words();
        if let Some(last) =
            words.last().filter(|last| words.len() > 2 && !last.ends_with('/') && *last != ".")
        {
            say(hits, one, format!("{} files go to {}", words.len() - 1, shown(last)));
        }
    }
}
