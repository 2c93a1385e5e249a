//! The specification of a container, closed but for what this node opens.

use std::{collections::BTreeSet, path::Path};

use boltseal_runtime::{
    plan::{MASKED, READ_ONLY},
    seccomp,
    start::inside::{Inside, Request, SEAL, is_loaders},
};
use serde_json::{Map, Value, json};

use super::{
    Error,
    machine::Machine,
    mounts, process,
    settings::{Namespace, Seccomp, Settings},
};

/// Annotations by which engines say to which pod a container belongs.
const PODS: [&str; 5] = [
    "io.kubernetes.cri.sandbox-id",
    "io.kubernetes.cri.sandbox-uid",
    "io.kubernetes.cri-o.SandboxID",
    "io.kubernetes.pod.uid",
    "io.podman.annotations.pod-id",
];
/// Devices that every container has, by their numbers: `null`, `zero`, `full`, `random`, `urandom`, `tty`, `console`, `ptmx`, and
/// terminals.
const COMMON: [(&str, i64, Option<i64>); 9] = [
    ("c", 1, Some(3)),
    ("c", 1, Some(5)),
    ("c", 1, Some(7)),
    ("c", 1, Some(8)),
    ("c", 1, Some(9)),
    ("c", 5, Some(0)),
    ("c", 5, Some(1)),
    ("c", 5, Some(2)),
    ("c", 136, None),
];

/// By what, and about which file.
pub(super) struct Hardening<'a> {
    pub settings: &'a Settings,
    /// Where the settings stand.
    pub file: &'a Path,
    /// The specification.
    pub path: &'a Path,
    pub machine: &'a dyn Machine,
}

impl Hardening<'_> {
    pub(super) fn closed(&self, what: impl Into<String>, setting: impl Into<String>) -> Error {
        Error::Closed { what: what.into(), setting: setting.into(), file: self.file.to_owned() }
    }

    pub(super) fn wrong(&self, why: impl Into<String>) -> Error {
        Error::Specification { path: self.path.to_owned(), why: why.into() }
    }

    /// Closes a container. With `inside`, Landlock holds from its first program on.
    pub(super) fn container(
        &self,
        specification: &mut Value,
        id: &str,
        inside: Option<&Inside>,
    ) -> Result<(), Error> {
        let whole = &mut *self.object(specification, "it")?;
        if is_privileged(whole) {
            return if self.settings.privileged {
                Ok(())
            } else {
                Err(self.closed(
                    "it wants to be privileged, which is to be root of the machine",
                    "privileged: true",
                ))
            };
        }
        let ids = ids(whole, id);
        if self.settings.read_only_root {
            self.part(whole, "root")?.insert("readonly".to_owned(), true.into());
        }
        let linux = self.part(whole, "linux")?;
        self.namespaces(linux)?;
        self.devices(linux)?;
        for (name, paths) in [("maskedPaths", &MASKED[..]), ("readonlyPaths", &READ_ONLY[..])] {
            self.paths(linux, name, paths)?;
        }
        if self.settings.seccomp == Seccomp::Sealed || !linux.get("seccomp").is_some_and(Value::is_object) {
            linux.insert("seccomp".to_owned(), seccomp::filter());
        }
        let mounts = whole.entry("mounts").or_insert_with(|| json!([]));
        let mounts = mounts.as_array_mut().ok_or_else(|| self.wrong("`mounts` is no list"))?;
        mounts::harden(mounts, &ids, self)?;
        let process = self.part(whole, "process")?;
        process::harden(process, self)?;
        match inside {
            Some(inside) => self.sealed(specification, inside),
            None => Ok(()),
        }
    }

    /// Closes a process that joins `container`.
    pub(super) fn joining(&self, process: &mut Value, container: &Value) -> Result<(), Error> {
        if container.as_object().is_some_and(is_privileged) && self.settings.privileged {
            return Ok(());
        }
        process::harden(self.object(process, "it")?, self)?;
        let targets = container.get("mounts").and_then(Value::as_array).into_iter().flatten();
        let targets = targets.filter_map(|mount| mount.get("destination")?.as_str());
        match Inside::found(targets).filter(|_| self.settings.landlock) {
            Some(inside) => self.through(process, container, &inside),
            None => Ok(()),
        }
    }

    /// Has it start with this program, which seals itself and becomes what was asked for.
    fn sealed(&self, specification: &mut Value, inside: &Inside) -> Result<(), Error> {
        let mut process = specification.get("process").cloned().unwrap_or_default();
        self.through(&mut process, specification, inside)?;
        let whole = self.object(specification, "it")?;
        whole.insert("process".to_owned(), process);
        let mounts =
            whole.get_mut("mounts").and_then(Value::as_array_mut).ok_or_else(|| self.wrong("no mounts"))?;
        // Else it would be put into the image, or into a folder of the machine.
        let is_dev = |mount: &&Value| {
            mount
                .get("destination")
                .and_then(Value::as_str)
                .is_some_and(|at| at.trim_end_matches('/') == "/dev")
        };
        let dev = mounts.iter().rfind(is_dev).and_then(|mount| mount.get("type")?.as_str());
        if dev != Some("tmpfs") {
            return Err(self.closed(
                "its /dev is no memory of its own, so nothing can be put there that seals it",
                "landlock: false",
            ));
        }
        mounts.extend(inside.bound().into_iter().map(|bound| {
            let mut options = vec!["bind", "ro", "nosuid"];
            options.extend(if bound.program { &["nodev"][..] } else { &["noexec"][..] });
            json!({ "destination": bound.target, "type": "bind", "source": bound.source, "options": options })
        }));
        Ok(())
    }

    fn through(&self, process: &mut Value, container: &Value, inside: &Inside) -> Result<(), Error> {
        let process = self.object(process, "`process`")?;
        let args: Vec<String> =
            texts(process.get("args")).ok_or_else(|| self.wrong("`args` are no texts"))?;
        let env: Vec<String> = texts(process.get("env")).unwrap_or_default();
        let (withheld, env): (Vec<_>, Vec<_>) =
            env.into_iter().partition(|line| line.split('=').next().is_some_and(is_loaders));
        let withheld = withheld.iter().filter_map(|line| line.split_once('='));
        let withheld = withheld.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let request = Request { files: mounts::files(container, self)?, env: withheld };
        let command = inside.command(SEAL, &request, &args).map_err(|error| self.wrong(error.to_string()))?;
        process.insert("args".to_owned(), json!(command));
        process.insert("env".to_owned(), json!(env));
        Ok(())
    }

    fn namespaces(&self, linux: &Map<String, Value>) -> Result<(), Error> {
        let list = linux.get("namespaces").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let find = |name: &str| list.iter().find(|one| one.get("type").and_then(Value::as_str) == Some(name));
        if find("mount").is_none() {
            return Err(Error::Never("it has no mounts of its own, which no engine asks for".to_owned()));
        }
        for kind in Namespace::ALL {
            let name = kind.name();
            let is_own = find(name).is_some_and(|one| match one.get("path").and_then(Value::as_str) {
                None | Some("") => true,
                Some(path) => !self.machine.is_own_namespace(name, Path::new(path)),
            });
            if !is_own && !self.settings.host_namespaces.contains(&kind) {
                let what = format!("it wants the {name} namespace of the machine");
                return Err(self.closed(what, format!("host_namespaces: [{name}]")));
            }
        }
        Ok(())
    }

    fn devices(&self, linux: &Map<String, Value>) -> Result<(), Error> {
        let opened = |device: &str| self.settings.devices.iter().any(|opened| opened == device);
        let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
        let mut given = Vec::new();
        for device in list(linux.get("devices")) {
            let path = device.get("path").and_then(Value::as_str).unwrap_or_default().to_owned();
            let numbers = numbers(&device);
            if !is_common(&numbers) && !opened(&path) {
                let what = format!("it wants the device {path}");
                return Err(self.closed(what, format!("devices: [{path}]")));
            }
            given.push(numbers);
        }
        let rules = linux.get("resources").and_then(|resources| resources.get("devices"));
        for rule in list(rules) {
            let numbers = numbers(&rule);
            let access = rule.get("access").and_then(Value::as_str).unwrap_or("rwm");
            // To make a node takes a capability that nobody has, and to open it another rule.
            let harmless = rule.get("allow").and_then(Value::as_bool) != Some(true)
                || access == "m"
                || is_common(&numbers)
                || given.contains(&numbers);
            let number =
                |number: Option<i64>| number.map_or_else(|| "*".to_owned(), |number| number.to_string());
            let name = format!("{} {}:{}", numbers.0, number(numbers.1), number(numbers.2));
            if !harmless && !opened(&name) {
                return Err(
                    self.closed(format!("it wants the devices {name}"), format!("devices: ['{name}']"))
                );
            }
        }
        Ok(())
    }

    fn paths(&self, linux: &mut Map<String, Value>, name: &str, paths: &[&str]) -> Result<(), Error> {
        let list = match linux.get(name) {
            None | Some(Value::Null) => Some(Vec::new()),
            some => texts(some),
        };
        let mut list = list.ok_or_else(|| self.wrong(format!("`{name}` are no texts")))?;
        let missing = paths.iter().filter(|path| !list.iter().any(|known| known == *path));
        let missing: Vec<String> = missing.map(|path| (*path).to_owned()).collect();
        list.extend(missing);
        linux.insert(name.to_owned(), json!(list));
        Ok(())
    }

    fn object<'v>(&self, value: &'v mut Value, name: &str) -> Result<&'v mut Map<String, Value>, Error> {
        value.as_object_mut().ok_or_else(|| self.wrong(format!("{name} is no object")))
    }

    fn part<'v>(
        &self,
        whole: &'v mut Map<String, Value>,
        name: &str,
    ) -> Result<&'v mut Map<String, Value>, Error> {
        let part = whole.get_mut(name).and_then(Value::as_object_mut);
        part.ok_or_else(|| self.wrong(format!("it has no `{name}`")))
    }
}

/// Texts of a list; none where it is not one of texts.
fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    value?.as_array()?.iter().map(|text| text.as_str().map(str::to_owned)).collect()
}

/// Kind and numbers of a device or a rule; without one, all are meant.
type Numbers = (String, Option<i64>, Option<i64>);

fn numbers(device: &Value) -> Numbers {
    let number = |name: &str| device.get(name).and_then(Value::as_i64).filter(|number| *number >= 0);
    let kind = device.get("type").and_then(Value::as_str).unwrap_or("a");
    let kind = if kind == "u" { "c" } else { kind };
    (kind.to_owned(), number("major"), number("minor"))
}

fn is_common((kind, major, minor): &Numbers) -> bool {
    COMMON.iter().any(|(of, first, second)| {
        kind == of && *major == Some(*first) && (second.is_none() || second == minor)
    })
}

/// Whether it may use all devices of the machine, or has all capabilities: so engines make privileged containers.
fn is_privileged(whole: &Map<String, Value>) -> bool {
    let rules = whole.get("linux").and_then(|linux| linux.get("resources")?.get("devices")?.as_array());
    let all = rules.into_iter().flatten().any(|rule| {
        let (kind, major, minor) = numbers(rule);
        rule.get("allow").and_then(Value::as_bool) == Some(true)
            && rule.get("access").and_then(Value::as_str).is_none_or(|access| access != "m")
            && kind == "a"
            && major.is_none()
            && minor.is_none()
    });
    all || whole.get("process").and_then(Value::as_object).is_some_and(process::is_privileged)
}

/// Names of the container and of the pod that it is in.
fn ids(whole: &Map<String, Value>, id: &str) -> BTreeSet<String> {
    let annotations = whole.get("annotations").and_then(Value::as_object);
    let pods = PODS.iter().filter_map(|name| annotations?.get(*name)?.as_str());
    pods.filter(|name| !name.is_empty()).chain([id]).map(str::to_owned).collect()
}
