//! As whom it runs, and how somebody could become root.

use boltseal_model::Severity;

use super::{place, runs, say, shown};
use crate::{
    checks::{Check, Look},
    dockerfile::Dockerfile,
    hit::Hits,
    leaf::Place,
};

pub const ROOT: Check = Check {
    id: "build-root",
    severity: Severity::Medium,
    title: "the image starts as root",
    why: "Whoever takes over the process is root in the container, and one mistake of the kernel away from the host.",
    fix: "make a user, and end with `USER` and its number: `USER 10001`",
    sources: &["CIS Docker 4.1", "NSA images"],
    standard: None,
    only: &[],
    look: Look::Build(root),
};

fn root(file: &Dockerfile, hits: &mut Hits) {
    let last = file.built().into_iter().find_map(|stage| file.of(stage, "USER").last());
    match last {
        None => {
            let line = file.stages.last().map_or(1, |stage| stage.line);
            hits.say(
                &Place { line, path: "FROM".to_owned() },
                "there is no USER, so whatever user its base has starts, mostly root",
            );
        }
        Some(one) => {
            let words = one.words();
            let name = words.first().map(String::as_str).unwrap_or_default();
            let user = name.split(':').next().unwrap_or_default();
            if name.contains('$') {
                hits.doubt(&place(one), format!("the user is {}, which whoever builds gives", shown(name)));
            } else if user == "root" || user.parse::<u64>() == Ok(0) || user.is_empty() {
                say(hits, one, format!("the last USER is \"{}\"", shown(name)));
            }
        }
    }
}

pub const SUDO: Check = Check {
    id: "build-sudo",
    severity: Severity::Medium,
    title: "uses sudo",
    why: "Steps of a build are root until `USER` says otherwise; a sudo that stays in the image makes everybody root.",
    fix: "put the step before `USER`, and leave sudo out of the image",
    sources: &["Docker: Building best practices"],
    standard: None,
    only: &[],
    look: Look::Build(sudo),
};

fn sudo(file: &Dockerfile, hits: &mut Hits) {
    for one in
        file.instructions.iter().filter(|one| matches!(one.word.as_str(), "RUN" | "CMD" | "ENTRYPOINT"))
    {
        if one.commands().iter().any(|command| command.program() == "sudo") {
            say(hits, one, "it runs sudo");
        }
    }
}

pub const SETUID: Check = Check {
    id: "build-setuid",
    severity: Severity::Medium,
    title: "makes a setuid program",
    why: "Whoever starts such a program becomes its owner, mostly root.",
    fix: "leave the bit away, or take it from all programs: `find / -xdev -perm /6000 -type f -exec chmod a-s {} +`",
    sources: &["CIS Docker 4.8"],
    standard: None,
    only: &[],
    look: Look::Build(setuid),
};

fn setuid(file: &Dockerfile, hits: &mut Hits) {
    for (one, commands) in runs(file) {
        let sets = commands.iter().filter(|command| command.program() == "chmod");
        for mode in sets.filter_map(|command| command.arguments().iter().find(|word| gives(word))) {
            say(hits, one, format!("chmod {} gives a program its owner's rights", shown(mode)));
        }
    }
    for one in file.instructions.iter().filter(|one| matches!(one.word.as_str(), "ADD" | "COPY")) {
        let mode = one.flags.iter().find_map(|flag| flag.strip_prefix("--chmod="));
        if let Some(mode) = mode.filter(|mode| gives(mode)) {
            say(hits, one, format!("--chmod={} gives a program its owner's rights", shown(mode)));
        }
    }
}

/// `u+s`, `+s`, `ug+xs`, `4755`, `06755`
fn gives(mode: &str) -> bool {
    let digits = mode.trim_start_matches('0');
    if digits.len() == 4 && digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return matches!(digits.as_bytes().first(), Some(b'2' | b'3' | b'4'..=b'7'));
    }
    mode.split(',').any(|part| {
        let Some((who, bits)) = part.split_once(['+', '=']) else { return false };
        who.bytes().all(|byte| b"ugoa".contains(&byte))
            && !bits.is_empty()
            && bits.bytes().all(|byte| b"rwxXst".contains(&byte))
            && bits.contains('s')
    })
}
