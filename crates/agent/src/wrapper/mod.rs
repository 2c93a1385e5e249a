//! In front of an engine's OCI runtime: what Docker, podman, containerd or CRI-O ask of it is hardened, and then done by the
//! runtime itself.
//!
//! ```no_run
//! use boltseal_agent::wrapper::{Settings, Wrapper};
//!
//! // What containerd's shim asks of `runc`.
//! let asked = ["create", "--bundle", "/run/containerd/io.containerd.runtime.v2.task/moby/abc", "abc"];
//! let wrapper = Wrapper { runtime: "/usr/sbin/runc".into(), settings: Settings::default(), named: "/etc/boltseal/wrapper.yaml".into() };
//! let ready = wrapper.prepare(&asked.map(str::to_owned))?;
//! // … and this process becomes `/usr/sbin/runc` with these arguments.
//! println!("{}", ready.arguments.join(" "));
//! # Ok::<(), boltseal_agent::wrapper::Error>(())
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`Settings`] | what this node opens |
//! | `arguments` | the command line of runtimes: which of it makes a process |
//! | `harden` | the specification of a container (`config.json`) |
//! | `process` | of a process (`process.json`), and one made of `exec`'s arguments |
//! | `mounts` | which mounts are the engine's own, and what can be done with what is in them |
//! | `machine` | what has to be looked at on this machine |
//!
//! What is asked for beyond the sealed default and changes nothing for most programs is taken away: capabilities, new
//! privileges, system calls, execution of what can be written to. What is asked for on purpose (privileged containers, namespaces,
//! folders and devices of the machine) is refused, with the setting that would open it; so nobody gets half of what they need.
//!
//! Whatever cannot be read or is not known is refused.
//!
//! Limits: folders of the machine are looked at by the names that they have when the question comes; what is mounted below a
//! folder that is opened keeps its own flags. A container that was made before this was in front of its runtime joins without
//! Landlock.
//!
//! It must not know: images, verdicts, groups, how an engine is told to ask here.

mod arguments;
mod harden;
mod machine;
mod mounts;
mod process;
mod settings;
#[cfg(test)]
mod tests;

use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::fs::{MetadataExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use arguments::{Asked, Process};
use boltseal_runtime::start::inside::Inside;
use rustix::fs::MemfdFlags;
use serde_json::Value;

pub use settings::{Error as SettingsError, MAX_SETTINGS, Settings};

/// Bytes of a specification: a thousand mounts and as many variables.
const MAX_SPECIFICATION: u64 = 16 << 20;

/// What stands in front of a runtime.
#[derive(Clone, Debug)]
pub struct Wrapper {
    /// The runtime.
    pub runtime: PathBuf,
    /// What this node opens.
    pub settings: Settings,
    /// Where that stands, for those who are refused something.
    pub named: PathBuf,
}

/// What the runtime is to be asked.
#[derive(Debug)]
pub struct Ready {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// A file that they speak of, by its number; to be open when this process becomes the runtime.
    pub held: Option<OwnedFd>,
}

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line cannot be understood.
    #[error("the runtime is asked for something that is not understood: {0}")]
    Arguments(String),
    /// A specification is not one.
    #[error("{path}: {why}")]
    Specification {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Something is asked for that this node does not open.
    #[error("{what}, which this node does not open: leave it out, or have `{setting}` in {file}")]
    Closed {
        /// `it wants the network of the machine`
        what: String,
        /// `host_namespaces: [network]`
        setting: String,
        /// Where that would stand.
        file: PathBuf,
    },
    /// Something is asked for that no setting opens.
    #[error("{0}")]
    Never(String),
    /// The machine.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What it said.
        source: io::Error,
    },
}

impl Error {
    fn io<E: Into<io::Error>>(what: impl std::fmt::Display) -> impl FnOnce(E) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source: source.into() }
    }
}

/// Tells the engine why something is refused, in the file that it gave the runtime for that. Engines that gave none read standard
/// error.
pub fn complain(asked: &[String], why: &str) {
    let Some((path, json)) = arguments::log(asked) else { return };
    let text = if json {
        let time = jiff::Timestamp::now();
        format!("{}\n", serde_json::json!({ "level": "error", "msg": why, "time": time.to_string() }))
    } else {
        format!("{why}\n")
    };
    let opened = fs::File::options().create(true).append(true).open(path);
    // There is nobody else to tell.
    let _ = opened.and_then(|mut log| log.write_all(text.as_bytes()));
}

/// Whether a command line makes no process, so that it goes on as it is, whatever the settings are: what runs can always be
/// ended.
///
/// # Errors
/// Where it cannot be understood.
pub fn passes(asked: &[String]) -> Result<bool, Error> {
    Ok(arguments::read(asked)?.asked == Asked::Other)
}

impl Wrapper {
    /// Hardens what is asked for.
    ///
    /// # Errors
    /// Where something of it is refused, or cannot be read; nothing is to be run then.
    pub fn prepare(&self, asked: &[String]) -> Result<Ready, Error> {
        let line = arguments::read(asked)?;
        let as_asked = || Ready { arguments: asked.to_vec(), held: None };
        match line.asked {
            Asked::Other => Ok(as_asked()),
            Asked::Make { bundle, id } => {
                let path = bundle.join("config.json");
                let mut specification = read(&path)?;
                let inside = if self.settings.landlock && boltseal_sys::landlock_version() > 0 {
                    Some(Inside::of_this_process().map_err(Error::io("this program inside the container"))?)
                } else {
                    None
                };
                let hardening = self.hardening(&path);
                hardening.container(&mut specification, &id, inside.as_ref())?;
                replace(&path, &specification)?;
                Ok(as_asked())
            }
            Asked::Join { id, process, kept } => {
                let bundle = self.bundle(&line.globals, &id)?;
                let container = bundle.join("config.json");
                let specification = read(&container)?;
                match process {
                    Process::File(path) => {
                        let mut process = read(&path)?;
                        self.hardening(&path).joining(&mut process, &specification)?;
                        replace(&path, &process)?;
                        Ok(as_asked())
                    }
                    Process::Given(given) => {
                        let mut process = process::given(&specification, &given).map_err(|why| {
                            Error::Specification { path: container.clone(), why: why.to_owned() }
                        })?;
                        self.hardening(&container).joining(&mut process, &specification)?;
                        let held = held(&process)?;
                        let mut arguments = line.globals;
                        if let Some((log, json)) = line.log {
                            arguments.extend(["--log".to_owned(), log.display().to_string()]);
                            arguments.extend(
                                json.then(|| ["--log-format".to_owned(), "json".to_owned()])
                                    .into_iter()
                                    .flatten(),
                            );
                        }
                        arguments.push("exec".to_owned());
                        arguments.extend(kept);
                        arguments.extend([
                            "--process".to_owned(),
                            format!("/proc/self/fd/{}", held.as_raw_fd()),
                            id,
                        ]);
                        Ok(Ready { arguments, held: Some(held) })
                    }
                }
            }
        }
    }

    fn hardening<'a>(&'a self, path: &'a Path) -> harden::Hardening<'a> {
        harden::Hardening { settings: &self.settings, file: &self.named, path, machine: &machine::This }
    }

    /// Where the runtime has the specification of a container, as it says itself.
    fn bundle(&self, globals: &[String], id: &str) -> Result<PathBuf, Error> {
        let mut command = Command::new(&self.runtime);
        command.args(globals).args(["state", id]).stdin(Stdio::null());
        let output = command.output().map_err(Error::io(self.runtime.display()))?;
        let said: Option<Value> =
            serde_json::from_slice(&output.stdout).ok().filter(|_| output.status.success());
        match said.as_ref().and_then(|said| said.get("bundle")?.as_str()) {
            Some(bundle) => Ok(bundle.into()),
            None => Err(Error::Never(format!(
                "the runtime does not know the container {id}: {}",
                String::from_utf8_lossy(&output.stderr).trim()
            ))),
        }
    }
}

fn read(path: &Path) -> Result<Value, Error> {
    let mut text = Vec::new();
    let file = fs::File::open(path).and_then(|file| file.take(MAX_SPECIFICATION + 1).read_to_end(&mut text));
    file.map_err(Error::io(path.display()))?;
    let wrong = |why: String| Error::Specification { path: path.to_owned(), why };
    if text.len() as u64 > MAX_SPECIFICATION {
        return Err(wrong(format!("it has more than {MAX_SPECIFICATION} bytes")));
    }
    serde_json::from_slice(&text).map_err(|error| wrong(format!("it is no specification: {error}")))
}

/// As a whole or not at all, with the owner and the mode that it had.
fn replace(path: &Path, value: &Value) -> Result<(), Error> {
    let replaced = || -> io::Result<()> {
        let before = fs::metadata(path)?;
        let mut fresh = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new(".")))?;
        fresh.write_all(&serde_json::to_vec(value)?)?;
        fresh.as_file().set_permissions(fs::Permissions::from_mode(before.mode() & 0o7777))?;
        std::os::unix::fs::fchown(fresh.as_file(), Some(before.uid()), Some(before.gid()))?;
        fresh.persist(path).map(drop).map_err(|failed| failed.error)
    };
    replaced().map_err(Error::io(format_args!("{} cannot be replaced", path.display())))
}

/// A file in memory that whoever this process becomes can open, and that is gone with it.
fn held(process: &Value) -> Result<OwnedFd, Error> {
    let made = || -> io::Result<OwnedFd> {
        let file = rustix::fs::memfd_create("process.json", MemfdFlags::empty())?;
        let mut file = fs::File::from(file);
        file.write_all(&serde_json::to_vec(process)?)?;
        Ok(file.into())
    };
    made().map_err(Error::io("a specification in memory"))
}
