//! What runs while an image is built.

use boltseal_model::Severity;

use super::{place, runs, say, shown};
use crate::{
    checks::{Check, Look},
    dockerfile::{Command, Dockerfile, Instruction},
    hit::Hits,
};

pub const UPDATE: Check = Check {
    id: "build-update-alone",
    severity: Severity::Medium,
    title: "lists of packages in a step of their own",
    why: "The step is cached: a later install uses old lists, and misses every fix since.",
    fix: "update and install in one step: `RUN apt-get update && apt-get install -y …`",
    sources: &["CIS Docker 4.7"],
    standard: None,
    only: &[],
    look: Look::Build(update),
};

fn update(file: &Dockerfile, hits: &mut Hits) {
    for (one, commands) in runs(file) {
        let does =
            |words: &[&str]| commands.iter().find(|command| is_manager(command) && verb(command, words));
        let uses =
            does(&["install", "add", "upgrade", "dist-upgrade", "full-upgrade", "source", "build-dep"]);
        if let Some(updates) = does(&["update"]).filter(|_| uses.is_none()) {
            // yum and dnf install with it.
            if !matches!(updates.program(), "yum" | "dnf" | "microdnf") {
                say(hits, one, format!("{} update stands alone", updates.program()));
            }
        }
    }
}

fn is_manager(command: &Command) -> bool {
    matches!(
        command.program(),
        "apt" | "apt-get" | "aptitude" | "apk" | "yum" | "dnf" | "microdnf" | "zypper"
    )
}

fn verb(command: &Command, words: &[&str]) -> bool {
    command.arguments().iter().any(|word| words.contains(&word.as_str()))
}

pub const CACHE: Check = Check {
    id: "build-package-cache",
    severity: Severity::Low,
    title: "leaves the cache of a package manager",
    why: "Lists and archives that nothing needs make the image larger, and hide in its layers what is deleted later.",
    fix: "clean up in the same step: `rm -rf /var/lib/apt/lists/*`, `apk add --no-cache`, `dnf clean all`, `zypper clean`",
    sources: &["Docker: Building best practices"],
    standard: None,
    only: &[],
    look: Look::Build(cache),
};

fn cache(file: &Dockerfile, hits: &mut Hits) {
    for (one, commands) in runs(file) {
        let is_mounted =
            one.flags.iter().any(|flag| flag.contains("type=cache") || flag.contains("type=tmpfs"));
        let removes = |part: &str| {
            commands.iter().any(|other| {
                matches!(other.program(), "rm" | "find")
                    && other.arguments().iter().any(|word| word.contains(part))
            })
        };
        let cleans = commands.iter().any(|other| is_manager(other) && verb(other, &["clean", "autoclean"]));
        let (apt, apk) = (cleans || removes("apt"), removes("apk"));
        let others = cleans || removes("cache");
        let dirty = |command: &&Command| match command.program() {
            "apt-get" | "apt" | "aptitude" => !apt && verb(command, &["install"]),
            "apk" => !apk && verb(command, &["add"]) && !command.has("--no-cache"),
            "yum" | "dnf" | "microdnf" | "zypper" => {
                !others && verb(command, &["install", "in", "update", "upgrade"])
            }
            _ => false,
        };
        if let Some(command) = commands.iter().find(dirty).filter(|_| !is_mounted) {
            say(hits, one, format!("what {} fetched stays in the layer", command.program()));
        }
    }
}

pub const APT: Check = Check {
    id: "build-apt",
    severity: Severity::Low,
    title: "uses apt in a script",
    why: "apt is for people: what it prints and takes changes between versions, and it says so itself.",
    fix: "write apt-get, or apt-cache",
    sources: &["Debian: apt(8), SCRIPT USAGE"],
    standard: None,
    only: &[],
    look: Look::Build(|file, hits| {
        for (one, commands) in runs(file) {
            if commands.iter().any(|command| command.program() == "apt") {
                say(hits, one, "it runs apt");
            }
        }
    }),
};

pub const PIPE: Check = Check {
    id: "build-pipe-to-shell",
    severity: Severity::High,
    title: "runs what an address has today",
    why: "Whoever has the server, or the way to it, runs what they like in the build, and nobody can tell afterwards what it was.",
    fix: "fetch it, compare its checksum with one in the Dockerfile, then run it",
    sources: &["MCSB DS-6", "NSA images"],
    standard: None,
    only: &[],
    look: Look::Build(pipe),
};

fn pipe(file: &Dockerfile, hits: &mut Hits) {
    for (one, commands) in runs(file) {
        let mut fetched = false;
        for command in &commands {
            let is_start = matches!(command.program(), "curl" | "wget");
            // What stands between, such as `tee` or `sed`, changes nothing about it.
            fetched = is_start || (fetched && command.piped);
            if fetched && command.piped && is_interpreter(command) {
                say(hits, one, format!("what is fetched goes to {}", shown(command.program())));
                break;
            }
            let inside = command.arguments().iter().any(|word| {
                ["$(curl ", "$(wget ", "`curl ", "`wget ", "<(curl ", "<(wget "]
                    .iter()
                    .any(|part| word.contains(part))
            });
            if inside && is_interpreter(command) {
                say(hits, one, format!("{} runs what is fetched", shown(command.program())));
                break;
            }
        }
    }
}

fn is_interpreter(command: &Command) -> bool {
    let program = match command.program() {
        "sudo" | "env" | "command" => {
            let mut words =
                command.arguments().iter().filter(|word| !word.starts_with('-') && !word.contains('='));
            words.next().map(String::as_str).unwrap_or_default()
        }
        program => program,
    };
    let name = program.trim_end_matches(|sign: char| sign.is_ascii_digit() || sign == '.');
    matches!(
        name,
        "sh" | "bash" | "ash" | "dash" | "zsh" | "ksh" | "python" | "perl" | "ruby" | "node" | "php"
    )
}

pub const UNVERIFIED: Check = Check {
    id: "build-unverified",
    severity: Severity::High,
    title: "does not look whom it fetches from",
    why: "Without certificates or signatures, anybody on the way can put something else into the image.",
    fix: "leave the option away; give the build the authority of an own server instead (`--mount=type=secret`, `SSL_CERT_FILE`)",
    sources: &["MCSB DS-6"],
    standard: None,
    only: &[],
    look: Look::Build(unverified),
};

/// Variables that turn it off, and the value that does; empty for any.
const VARIABLES: [(&str, &str); 6] = [
    ("GIT_SSL_NO_VERIFY", ""),
    ("NODE_TLS_REJECT_UNAUTHORIZED", "0"),
    ("NPM_CONFIG_STRICT_SSL", "false"),
    ("PIP_TRUSTED_HOST", ""),
    ("PYTHONHTTPSVERIFY", "0"),
    ("YARN_STRICT_SSL", "false"),
];

fn unverified(file: &Dockerfile, hits: &mut Hits) {
    let off = |name: &str, value: &str| {
        let is = |(known, bad): &&(&str, &str)| {
            known.eq_ignore_ascii_case(name) && if bad.is_empty() { !value.is_empty() } else { value == *bad }
        };
        VARIABLES.iter().find(is).map(|(known, _)| *known)
    };
    for one in file.instructions.iter().filter(|one| matches!(one.word.as_str(), "ENV" | "ARG")) {
        for name in one.pairs().iter().filter_map(|(name, value)| off(name, value.as_deref()?)) {
            say(hits, one, format!("{name} is set"));
        }
    }
    for (one, commands) in runs(file) {
        for command in &commands {
            for name in command.variables.iter().filter_map(|(name, value)| off(name, value)) {
                say(hits, one, format!("{name} is set"));
            }
            if let Some(option) = option(command) {
                told(hits, one, command, option);
            }
        }
    }
}

fn told(hits: &mut Hits, one: &Instruction, command: &Command, option: &str) {
    hits.say(&place(one), format!("{} {}", command.program(), shown(option)));
}

/// The option by which a program does not look.
fn option(command: &Command) -> Option<&str> {
    let among = |known: &[&str]| {
        let is = |word: &&String| {
            known.iter().any(|one| word.as_str() == *one || word.starts_with(&format!("{one}=")))
        };
        command.arguments().iter().find(is).map(String::as_str)
    };
    match command.program() {
        "curl" => command
            .arguments()
            .iter()
            .find(|word| *word == "--insecure" || is_insecure(word))
            .map(String::as_str),
        "wget" => among(&["--no-check-certificate"]),
        "apk" => among(&["--allow-untrusted"]),
        "apt" | "apt-get" => {
            among(&["--force-yes", "--allow-unauthenticated", "--no-allow-insecure-repositories=false"])
        }
        "yum" | "dnf" | "microdnf" | "tdnf" => among(&["--nogpgcheck"]),
        "rpm" => among(&["--nosignature"]),
        "zypper" => among(&["--no-gpg-checks"]),
        "git" => among(&["http.sslVerify=false"]).or_else(|| follows(command, "http.sslVerify")),
        "npm" | "yarn" | "pnpm" => among(&["--strict-ssl=false"]).or_else(|| follows(command, "strict-ssl")),
        program if program.starts_with("pip") || program.starts_with("python") => among(&["--trusted-host"]),
        _ => None,
    }
}

/// `config set strict-ssl false`
fn follows<'a>(command: &'a Command, name: &str) -> Option<&'a str> {
    let pairs = command.arguments().windows(2);
    let mut off = pairs.filter(|pair| matches!(pair, [one, value] if one == name && value == "false"));
    off.next().and_then(|pair| pair.first()).map(String::as_str)
}

/// `-k`, `-fsSLk`; an option that takes a value ends the row.
fn is_insecure(word: &str) -> bool {
    const WITH_VALUE: &str = "ACDEFHKPQTUXYbcdehmortuwxyz";
    let Some(row) = word.strip_prefix('-').filter(|row| !row.starts_with('-')) else { return false };
    row.chars().take_while(|sign| !WITH_VALUE.contains(*sign)).any(|sign| sign == 'k')
}
