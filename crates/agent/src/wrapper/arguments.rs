//! The command line of `runc`, which `crun` and others share: what of it makes a process, and where its specification lies.
//!
//! What is not known here is refused, since it could make a process in a way that nobody looked at.

use std::path::PathBuf;

use super::Error;

/// Options before the command that have a value.
const GLOBAL_VALUES: [&str; 6] = ["log", "log-format", "root", "criu", "rootless", "cgroup-manager"];
/// Those that have none.
const GLOBAL_FLAGS: [&str; 6] = ["debug", "systemd-cgroup", "help", "h", "version", "v"];
/// Commands that make no process and change none of its rights.
const HARMLESS: [&str; 14] = [
    "checkpoint",
    "delete",
    "events",
    "features",
    "help",
    "kill",
    "list",
    "pause",
    "ps",
    "resume",
    "spec",
    "start",
    "state",
    "update",
];
/// Of `create` and `run`.
const MAKE_VALUES: [&str; 6] = ["bundle", "b", "console-socket", "pid-file", "pidfd-socket", "preserve-fds"];
const MAKE_FLAGS: [&str; 6] = ["no-pivot", "no-new-keyring", "keep", "detach", "d", "no-subreaper"];
/// Of `exec`: those that say how it is run, and go on as they are.
const JOIN_VALUES: [&str; 5] = ["console-socket", "pid-file", "preserve-fds", "cgroup", "pidfd-socket"];
const JOIN_FLAGS: [&str; 3] = ["detach", "d", "ignore-paused"];
/// Those that say what is run, which a specification replaces.
const PROCESS_VALUES: [&str; 12] =
    ["process", "p", "cwd", "env", "e", "user", "u", "additional-gids", "g", "cap", "c", "process-label"];
const PROCESS_FLAGS: [&str; 3] = ["tty", "t", "no-new-privs"];

/// A command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Where the runtime would write its complaints, and whether as JSON.
    pub log: Option<(PathBuf, bool)>,
    /// What stands before the command, without the log.
    pub globals: Vec<String>,
    pub asked: Asked,
}

/// What a command line asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Asked {
    /// Nothing that has to be looked at.
    #[default]
    Other,
    /// A container.
    Make { bundle: PathBuf, id: String },
    /// One more process in a container.
    Join { id: String, process: Process, kept: Vec<String> },
}

/// What joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Process {
    /// It is specified in a file.
    File(PathBuf),
    /// It is made of the container's own, and of these.
    Given(Box<Given>),
}

/// Differences from the container's own process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    pub args: Vec<String>,
    pub cwd: Option<String>,
    pub env: Vec<String>,
    pub user: Option<String>,
    pub groups: Vec<String>,
    pub capabilities: Vec<String>,
    pub terminal: bool,
    pub label: Option<String>,
    pub apparmor: Option<String>,
}

/// An option as it stands there.
struct Word<'a> {
    name: &'a str,
    value: Option<&'a str>,
}

fn option(text: &str) -> Option<Word<'_>> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).filter(|rest| !rest.is_empty())?;
    Some(match name.split_once('=') {
        Some((name, value)) => Word { name, value: Some(value) },
        None => Word { name, value: None },
    })
}

/// The value of an option: after `=`, or the next word.
fn value<'a>(option: &Word<'a>, words: &mut impl Iterator<Item = &'a String>) -> Result<&'a str, Error> {
    let missing = || Error::Arguments(format!("`--{}` has no value", option.name));
    match option.value {
        Some(value) => Ok(value),
        None => words.next().map(String::as_str).ok_or_else(missing),
    }
}

/// Reads one.
pub(super) fn read(arguments: &[String]) -> Result<Line, Error> {
    let mut line = Line::default();
    let (mut log, mut json) = (None, false);
    let mut words = arguments.iter();
    let command = loop {
        let Some(word) = words.next() else { break None };
        let Some(option) = option(word) else { break Some(word.as_str()) };
        if GLOBAL_VALUES.contains(&option.name) {
            let value = value(&option, &mut words)?;
            match option.name {
                "log" => log = Some(PathBuf::from(value)),
                "log-format" => json = value == "json",
                name => line.globals.extend([format!("--{name}"), value.to_owned()]),
            }
        } else if GLOBAL_FLAGS.contains(&option.name) {
            line.globals.push(word.clone());
        } else {
            return Err(Error::Arguments(format!("the option `{word}` is not known")));
        }
    };
    line.log = log.map(|log| (log, json));
    let rest: Vec<String> = words.cloned().collect();
    line.asked = match command {
        None => Asked::Other,
        Some(command) if HARMLESS.contains(&command) => Asked::Other,
        // Asked about itself, no runtime does anything.
        Some(_) if rest.iter().any(|word| matches!(word.as_str(), "--help" | "-h")) && rest.len() == 1 => {
            Asked::Other
        }
        Some("create" | "run") => made(&rest)?,
        Some("exec") => joined(&rest)?,
        Some("restore") => {
            return Err(Error::Arguments(
                "a container that is restored has the rights that it had, which nobody can take from it: `restore` \
                 is refused"
                    .to_owned(),
            ));
        }
        Some(other) => return Err(Error::Arguments(format!("the command `{other}` is not known"))),
    };
    Ok(line)
}

/// Where complaints about a command line go, even about one that is not understood.
pub(super) fn log(arguments: &[String]) -> Option<(PathBuf, bool)> {
    let found = |wanted: &str| {
        let mut words = arguments.iter();
        while let Some(word) = words.next() {
            if let Some(option) = option(word).filter(|option| option.name == wanted) {
                return value(&option, &mut words).ok().map(str::to_owned);
            }
        }
        None
    };
    let log = found("log")?;
    Some((log.into(), found("log-format").as_deref() == Some("json")))
}

fn made(rest: &[String]) -> Result<Asked, Error> {
    let (mut bundle, mut names) = (PathBuf::from("."), Vec::new());
    let mut words = rest.iter();
    while let Some(word) = words.next() {
        let Some(option) = option(word) else {
            names.push(word.clone());
            continue;
        };
        if MAKE_VALUES.contains(&option.name) {
            let value = value(&option, &mut words)?;
            if matches!(option.name, "bundle" | "b") {
                bundle = PathBuf::from(value);
            }
        } else if !MAKE_FLAGS.contains(&option.name) {
            return Err(Error::Arguments(format!("the option `{word}` is not known")));
        }
    }
    match <[String; 1]>::try_from(names) {
        Ok([id]) => Ok(Asked::Make { bundle, id }),
        Err(names) => Err(Error::Arguments(format!("it names {} containers", names.len()))),
    }
}

fn joined(rest: &[String]) -> Result<Asked, Error> {
    let (mut kept, mut given, mut file) = (Vec::new(), Given::default(), None);
    let mut words = rest.iter();
    let id = loop {
        let none = || Error::Arguments("`exec` names no container".to_owned());
        let word = words.next().ok_or_else(none)?;
        if word == "--" {
            break words.next().ok_or_else(none)?;
        }
        let Some(option) = option(word) else { break word };
        if JOIN_FLAGS.contains(&option.name) {
            kept.push(word.clone());
        } else if JOIN_VALUES.contains(&option.name) {
            kept.extend([format!("--{}", option.name), value(&option, &mut words)?.to_owned()]);
        } else if PROCESS_FLAGS.contains(&option.name) {
            given.terminal |= option.name.starts_with('t') && option.value != Some("false");
        } else if PROCESS_VALUES.contains(&option.name) || option.name == "apparmor" {
            let value = value(&option, &mut words)?.to_owned();
            match option.name {
                "process" | "p" => file = Some(PathBuf::from(value)),
                "cwd" => given.cwd = Some(value),
                "env" | "e" => given.env.push(value),
                "user" | "u" => given.user = Some(value),
                "additional-gids" | "g" => given.groups.push(value),
                "cap" | "c" => given.capabilities.push(value),
                "process-label" => given.label = Some(value),
                _ => given.apparmor = Some(value),
            }
        } else {
            return Err(Error::Arguments(format!("the option `{word}` is not known")));
        }
    };
    let process = if let Some(file) = file {
        Process::File(file)
    } else {
        given.args = words.cloned().collect();
        if given.args.first().is_some_and(|first| first == "--") {
            given.args.remove(0);
        }
        Process::Given(Box::new(given))
    };
    Ok(Asked::Join { id: id.clone(), process, kept })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Line, String> {
        read(&text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect::<Vec<_>>())
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn lines_of_engines() {
        let make = |bundle: &str, id: &str| Asked::Make { bundle: bundle.into(), id: id.into() };
        // As containerd's shim, and as conmon.
        let line =
            of("--root /run/r --log /b/log.json --log-format json create --bundle /b --pid-file /b/p abc")
                .unwrap();
        assert_eq!(line.asked, make("/b", "abc"));
        assert_eq!(
            (line.log, line.globals.join(" ")),
            (Some(("/b/log.json".into(), true)), "--root /run/r".into())
        );
        assert_eq!(of("--systemd-cgroup create --bundle=/b -no-pivot abc").unwrap().asked, make("/b", "abc"));
        assert_eq!(of("run abc").unwrap().asked, make(".", "abc"));
        for harmless in
            ["", "--version", "state abc", "kill --all abc 9", "delete --force abc", "create --help"]
        {
            assert_eq!(of(harmless).unwrap().asked, Asked::Other, "{harmless}");
        }
        let line = of("exec --process /b/p.json --detach --pid-file /b/x abc").unwrap();
        let Asked::Join { id, process, kept } = line.asked else { panic!() };
        assert_eq!((id.as_str(), process), ("abc", Process::File("/b/p.json".into())));
        assert_eq!(kept, ["--detach", "--pid-file", "/b/x"]);
        let line = of("exec -t --user 1:2 -e A=1 --env B=2 --cap CAP_KILL abc ls --process /x").unwrap();
        let Asked::Join { process: Process::Given(given), .. } = line.asked else { panic!() };
        assert_eq!(given.args, ["ls", "--process", "/x"]);
        assert_eq!((given.env, given.terminal), (vec!["A=1".to_owned(), "B=2".to_owned()], true));
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for (line, wanted) in [
            ("--config /x create abc", "`--config` is not known"),
            ("create --config /x abc", "`--config` is not known"),
            ("create -b/x abc", "`-b/x` is not known"),
            ("create", "0 containers"),
            ("create abc def", "2 containers"),
            ("create --bundle", "no value"),
            ("restore --bundle /b abc", "refused"),
            ("enter abc", "the command `enter` is not known"),
            ("exec --privileged abc sh", "`--privileged` is not known"),
            ("exec", "names no container"),
        ] {
            let said = of(line).unwrap_err();
            assert!(said.contains(wanted), "{line}: {said}");
        }
    }
}
