//! An engine told to start its containers through [`wrapper`](crate::wrapper), and told otherwise again.
//!
//! Files that are somebody else's are edited in their text; what is wholly ours is a file of its own. What a file was before is
//! kept, and put back as it was where nothing else changed it since.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{json, toml};

/// What engines call the runtime.
pub const NAME: &str = "boltseal";

/// An engine that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// Docker.
    Docker,
    /// podman.
    Podman,
    /// containerd, for Kubernetes.
    Containerd,
    /// CRI-O.
    Crio,
}

/// Why a configuration is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is no JSON.
    #[error("it is no JSON: {0}")]
    Json(String),
    /// It is JSON of another shape.
    #[error("it is no object where one should be")]
    Shape,
    /// It says something twice.
    #[error("it has `{0}` twice")]
    Twice(String),
    /// It is no TOML.
    #[error("it is no TOML: {0}")]
    Toml(String),
    /// containerd's, of the first version.
    #[error("it is of version 1; containerd itself makes a newer one of it: `containerd config migrate`")]
    Old,
    /// containerd's part for Kubernetes is switched off.
    #[error(
        "it switches containerd's part for Kubernetes off (`disabled_plugins`), so nothing would go through this runtime"
    )]
    Off,
    /// Written in a way that we do not edit.
    #[error(
        "it is written in a way that cannot be edited here; set `default_runtime_name` and the runtime `boltseal` by hand"
    )]
    Unusual,
    /// A file of our name that somebody else wrote.
    #[error("it is there already, and not ours")]
    Foreign,
}

/// What was done to a configuration, so that it can be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Which file.
    pub config: String,
    /// The runtime that does the work.
    pub runtime: String,
    /// What was there before; nothing where there was no file.
    pub before: Option<String>,
    /// What was made of it.
    pub after: String,
}

impl Engine {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Containerd, Self::Crio];

    /// As commands name it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Containerd => "containerd",
            Self::Crio => "crio",
        }
    }

    /// Its configuration, where it looks for that by default.
    pub const fn config(self) -> &'static str {
        match self {
            Self::Docker => "/etc/docker/daemon.json",
            Self::Podman => "/etc/containers/containers.conf.d/99-boltseal.conf",
            Self::Containerd => "/etc/containerd/config.toml",
            Self::Crio => "/etc/crio/crio.conf.d/99-boltseal.conf",
        }
    }

    /// Runtimes that it would take by itself, the first that is there.
    pub const fn runtimes(self) -> [&'static str; 2] {
        match self {
            Self::Docker | Self::Containerd => ["runc", "crun"],
            Self::Podman | Self::Crio => ["crun", "runc"],
        }
    }

    /// What makes the change count.
    pub const fn next(self) -> &'static str {
        match self {
            Self::Docker => "systemctl reload docker; containers that are made from then on are hardened",
            Self::Podman => "nothing to restart; containers that are made from now on are hardened",
            Self::Containerd => "systemctl restart containerd; pods that are made from then on are hardened",
            Self::Crio => "systemctl restart crio; pods that are made from then on are hardened",
        }
    }

    /// The runtime that a configuration names so far, by its path.
    pub fn named(self, before: Option<&str>) -> Option<String> {
        let config: Value = serde_json::from_str(before?).ok().filter(|_| self == Self::Docker)?;
        let name = config.get("default-runtime")?.as_str().filter(|name| *name != NAME)?;
        Some(config.get("runtimes")?.get(name)?.get("path")?.as_str()?.to_owned())
    }

    /// What becomes of a configuration, so that `program` is what containers are started with.
    ///
    /// # Errors
    /// Where it cannot be edited without changing what somebody meant.
    pub fn edited(self, before: Option<&str>, program: &str) -> Result<String, Error> {
        let text = before.filter(|text| !text.trim().is_empty());
        match self {
            Self::Docker => {
                let text =
                    json::set(text.unwrap_or("{}\n"), &["runtimes", NAME], &json!({ "path": program }))?;
                json::set(&text, &["default-runtime"], &json!(NAME))
            }
            Self::Containerd => toml::edited(text, program),
            Self::Podman | Self::Crio => {
                let ours = self.own(program);
                if text.is_some_and(|text| text != ours && !text.starts_with(HEAD)) {
                    Err(Error::Foreign)
                } else {
                    Ok(ours)
                }
            }
        }
    }

    /// What becomes of it when that is taken back; nothing where the file goes.
    ///
    /// # Errors
    /// Where it was changed so that this cannot be done.
    pub fn restored(self, now: &str, done: &Done) -> Result<Option<String>, Error> {
        if now == done.after {
            return Ok(done.before.clone());
        }
        let text = match self {
            Self::Docker => docker_restored(now, done.before.as_deref())?,
            Self::Containerd => toml::restored(now, done.before.as_deref())?,
            Self::Podman | Self::Crio => {
                return if now.starts_with(HEAD) { Ok(None) } else { Err(Error::Foreign) };
            }
        };
        let nothing = done.before.is_none()
            && matches!(text.split_whitespace().collect::<String>().as_str(), "{}" | "version=2");
        Ok(if nothing { None } else { Some(text) })
    }

    /// Whether a configuration has containers started with `program`.
    pub fn is_told(self, now: &str, program: &str) -> bool {
        match self {
            Self::Docker => {
                let config: Value = serde_json::from_str(now).unwrap_or_default();
                config.get("default-runtime").and_then(Value::as_str) == Some(NAME)
                    && config.pointer("/runtimes/boltseal/path").and_then(Value::as_str) == Some(program)
            }
            Self::Containerd => toml::is_told(now, program),
            Self::Podman | Self::Crio => now == self.own(program),
        }
    }

    fn own(self, program: &str) -> String {
        // Quoted as JSON, which TOML's strings are made after.
        let program = Value::from(program);
        if self == Self::Podman {
            format!("{HEAD}[engine]\nruntime = \"{NAME}\"\n\n[engine.runtimes]\n{NAME} = [{program}]\n")
        } else {
            format!(
                "{HEAD}[crio.runtime]\ndefault_runtime = \"{NAME}\"\n\n[crio.runtime.runtimes.{NAME}]\nruntime_path = \
                 {program}\nruntime_type = \"oci\"\nruntime_root = \"/run/boltseal-crio\"\n"
            )
        }
    }
}

/// By which a file of ours is known.
const HEAD: &str = "# Written by `boltseal engine install`; `boltseal engine uninstall` removes it.\n";

fn docker_restored(now: &str, before: Option<&str>) -> Result<String, Error> {
    let config: Value = serde_json::from_str(now).map_err(|wrong| Error::Json(wrong.to_string()))?;
    let old: Value = before.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let mut text = now.to_owned();
    // What it was before; somebody else's choice since then stays.
    if config.get("default-runtime").and_then(Value::as_str) == Some(NAME) {
        text = match old.get("default-runtime") {
            Some(old) if old.as_str() != Some(NAME) => json::set(&text, &["default-runtime"], old)?,
            _ => json::remove(&text, &["default-runtime"])?,
        };
    }
    text = json::remove(&text, &["runtimes", NAME])?;
    let others = config.get("runtimes").and_then(Value::as_object).map_or(0, serde_json::Map::len);
    if others <= 1 && old.get("runtimes").is_none() {
        text = json::remove(&text, &["runtimes"])?;
    }
    Ok(text)
}

/// The program that engines start: a line of shell that becomes this program, so that nothing stays in between. Engines pass
/// arguments of their own only.
pub fn program(boltseal: &str, runtime: &str, settings: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
    format!(
        "#!/bin/sh\n{HEAD}exec {} wrapper --runtime {} --settings {} -- \"$@\"\n",
        quoted(boltseal),
        quoted(runtime),
        quoted(settings)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "/usr/local/lib/boltseal/docker";

    fn done(engine: Engine, before: Option<&str>) -> Done {
        let after = engine.edited(before, PROGRAM).unwrap();
        assert!(engine.is_told(&after, PROGRAM), "{after}");
        assert_eq!(engine.edited(Some(&after), PROGRAM).unwrap(), after, "twice is once");
        Done {
            config: engine.config().to_owned(),
            runtime: "runc".to_owned(),
            before: before.map(str::to_owned),
            after,
        }
    }

    #[test]
    fn what_was_there_comes_back_as_it_was() {
        let docker = "{\n\t\"debug\":true ,\n\t\"runtimes\": {\"nvidia\": {\"path\": \"n\"}}, \"default-runtime\": \"nvidia\" }\n\n";
        for (engine, before) in [
            (Engine::Docker, None),
            (Engine::Docker, Some("")),
            (Engine::Docker, Some(docker)),
            (Engine::Podman, None),
            (Engine::Containerd, None),
            (Engine::Containerd, Some("version = 2\n# mine\n")),
            (Engine::Crio, None),
        ] {
            let done = done(engine, before);
            assert_eq!(engine.restored(&done.after, &done).unwrap().as_deref(), before);
        }
        assert_eq!(Engine::Docker.named(Some(docker)).as_deref(), Some("n"));
    }

    #[test]
    fn what_was_changed_since_stays() {
        // Of what was there before, and of what was added since.
        for (before, change, after) in [
            (None, ("\"default-runtime\"", "\"debug\": true, \"default-runtime\""), "{\"debug\":true}"),
            (
                Some("{}"),
                ("\"boltseal\":", "\"own\": {\"path\": \"o\"}, \"boltseal\":"),
                "{\"runtimes\":{\"own\":{\"path\":\"o\"}}}",
            ),
            (
                Some("{\"default-runtime\": \"nvidia\", \"runtimes\": {\"nvidia\": {}}}"),
                ("{", "{ \"a\": 1, "),
                "{\"a\":1,\"default-runtime\":\"nvidia\",\"runtimes\":{\"nvidia\":{}}}",
            ),
            (
                None,
                ("\"default-runtime\": \"boltseal\"", "\"default-runtime\": \"runc\""),
                "{\"default-runtime\":\"runc\"}",
            ),
        ] {
            let done = done(Engine::Docker, before);
            let now = done.after.replacen(change.0, change.1, 1);
            assert_ne!(now, done.after);
            let got = Engine::Docker.restored(&now, &done).unwrap().unwrap();
            let got: Value = serde_json::from_str(&got).unwrap();
            assert_eq!(got.to_string(), after);
        }
        let done = done(Engine::Podman, None);
        assert_eq!(Engine::Podman.restored(&format!("{}# x\n", done.after), &done), Ok(None));
        assert_eq!(Engine::Podman.restored("[engine]\n", &done), Err(Error::Foreign));
        assert_eq!(Engine::Podman.edited(Some("[engine]\n"), PROGRAM), Err(Error::Foreign));
    }

    #[test]
    fn the_program_is_one_line() {
        let text = program("/opt/it's/boltseal", "/usr/sbin/runc", "/etc/boltseal/wrapper.yaml");
        let line = "exec '/opt/it'\\''s/boltseal' wrapper --runtime '/usr/sbin/runc' --settings '/etc/boltseal/wrapper.yaml' -- \"$@\"\n";
        assert!(text.starts_with("#!/bin/sh\n") && text.ends_with(line), "{text}");
    }
}
