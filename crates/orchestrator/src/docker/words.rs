//! Words of the Docker command line that Compose, `docker inspect` and Marathon share.

use crate::{
    document::{At, Item},
    leaf::{Leaf, Place},
    workload::{Mount, Port, Security},
};

/// Reads `--security-opt` values into `security`. Both `key=value` and `key:value` are written.
pub(crate) fn security_options(options: &At<'_>, security: &mut Security) {
    if let Some(why) = options.unknown() {
        let unknown = || Leaf::Unknown(why.to_owned(), options.place());
        security.escalation = Leaf::Unknown(why.to_owned(), options.place());
        security.seccomp = unknown();
        security.apparmor = unknown();
    }
    for option in options.items() {
        match option.text() {
            Leaf::Set(text, place) => security_option(&text, place, security),
            Leaf::Unknown(why, place) => {
                security.seccomp = Leaf::Unknown(why.clone(), place.clone());
                security.apparmor = Leaf::Unknown(why, place);
            }
            Leaf::Unset(_) => {}
        }
    }
}

/// Reads one `--security-opt` value.
pub(crate) fn security_option(text: &str, place: Place, security: &mut Security) {
    let (key, value) = text.split_once(['=', ':']).unwrap_or((text, ""));
    match key.trim() {
        "no-new-privileges" => security.escalation = Leaf::Set(value.trim() == "false", place),
        "seccomp" => security.seccomp = Leaf::Set(profile(value), place),
        "apparmor" => security.apparmor = Leaf::Set(profile(value), place),
        "systempaths" if value == "unconfined" => {
            security.proc_mount = Leaf::Set("Unmasked".to_owned(), place);
        }
        "label" if value == "disable" => security.selinux.kind = Leaf::Set("spc_t".to_owned(), place),
        "label" => {
            if let Some(kind) = value.strip_prefix("type:") {
                security.selinux.kind = Leaf::Set(kind.to_owned(), place);
            }
        }
        _ => {}
    }
}

/// The words of Kubernetes for the profiles of Docker.
fn profile(value: &str) -> String {
    match value.trim() {
        "unconfined" => "Unconfined",
        "builtin" | "default" | "docker-default" => "RuntimeDefault",
        _ => "Localhost",
    }
    .to_owned()
}

/// `source:target[:mode]`; a source that is a path is one of the host. Windows paths have a colon of their own.
pub(crate) fn bind(text: &str, place: Place) -> Mount {
    let drive = |part: &str| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let mut parts: Vec<String> = Vec::new();
    let mut open: Option<String> = None;
    for part in text.split(':') {
        match open.take() {
            Some(letter) if part.starts_with(['\\', '/']) => parts.push(format!("{letter}:{part}")),
            Some(letter) => {
                parts.push(letter);
                parts.push(part.to_owned());
            }
            None if drive(part) => open = Some(part.to_owned()),
            None => parts.push(part.to_owned()),
        }
    }
    parts.extend(open);
    let mut parts = parts.into_iter();
    let first = parts.next().unwrap_or_default();
    let Some(target) = parts.next() else {
        // A path alone is a volume that nobody named.
        return plain(Leaf::Unset(place.clone()), Leaf::Unset(place.clone()), first, Leaf::default(), place);
    };
    let mode = parts.next().unwrap_or_default();
    let read_only = Leaf::Set(mode.split(',').any(|word| word == "ro"), place.clone());
    let set = Leaf::Set(first.clone(), place.clone());
    let unset = Leaf::Unset(place.clone());
    if is_path(&first) {
        plain(unset, set, target, read_only, place)
    } else {
        plain(set, unset, target, read_only, place)
    }
}

fn plain(
    volume: Leaf<String>,
    host: Leaf<String>,
    target: String,
    read_only: Leaf<bool>,
    place: Place,
) -> Mount {
    Mount {
        volume,
        host,
        target: Leaf::Set(target, place.clone()),
        read_only,
        propagation: Leaf::default(),
        sub_path: Leaf::default(),
        place,
    }
}

/// Whether Docker takes it for a path rather than for the name of a volume.
pub(crate) fn is_path(text: &str) -> bool {
    text.starts_with(['/', '.', '~', '\\']) || text.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"))
}

/// `[[address:]host:]container[/protocol]`
pub(crate) fn port(text: &str, place: Place) -> Port {
    let ports = text.split('/').next().unwrap_or_default();
    let (rest, container) = ports.rsplit_once(':').unwrap_or(("", ports));
    let (address, host) = match rest.rsplit_once(':') {
        Some((address, host)) => (Some(address.trim_matches(['[', ']'])), host),
        None => (None, rest),
    };
    // A range is told by its first port.
    let number = |text: &str| {
        text.split('-')
            .next()
            .and_then(|first| first.parse().ok())
            .map_or_else(|| Leaf::Unset(place.clone()), |number: i64| Leaf::Set(number, place.clone()))
    };
    // Docker chooses a port of the host where none is named.
    let host = match number(host) {
        Leaf::Unset(place) => Leaf::Set(0, place),
        known => known,
    };
    Port {
        container: number(container),
        host,
        address: address
            .map_or_else(|| Leaf::Unset(place.clone()), |one| Leaf::Set(one.to_owned(), place.clone())),
        name: Leaf::default(),
        place,
    }
}

/// A command as a list, or as one text with spaces.
pub(crate) fn command(at: &At<'_>) -> Leaf<Vec<Item>> {
    if at.is_list() {
        return at.texts();
    }
    at.text().map(|text| {
        let word = |word: &str| Item { value: Leaf::Set(word.to_owned(), at.place()), place: at.place() };
        text.split_whitespace().map(word).collect()
    })
}
