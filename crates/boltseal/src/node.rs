//! The agent of this node, asked by its socket; started where nobody answers.

use std::{
    fs::{self, File},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use boltseal_agent::groups::{
    client::{Client, ClientError},
    socket::SOCKET,
};
use serde::{Serialize, de::DeserializeOwned};

use crate::{cli::Global, console::Console, exit::Failure, given, output::paint::clean};

/// How long an agent that was started may take until it answers.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(20);

/// Which agent.
#[derive(Clone, Debug, clap::Args)]
pub struct Node {
    /// Socket of the node's agent
    #[arg(long, value_name = "SOCKET", default_value = SOCKET, env = "BOLTSEAL_AGENT", hide_env_values = true)]
    socket: PathBuf,
}

/// An agent that can be asked.
pub struct Asked {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Node {
    /// The agent, whether or not it answers.
    pub fn agent(&self) -> Result<Asked, Failure> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::fault)?;
        Ok(Asked { client: Client::at(&self.socket), runtime })
    }

    /// The agent, which is started where nobody answers at the usual socket: alone, in the background, as `boltseal agent
    /// --groups` would be. Whoever names a socket means an agent of his own.
    pub fn started(&self, global: &Global, console: &Console) -> Result<Asked, Failure> {
        let asked = self.agent()?;
        match asked.get::<Vec<boltseal_api::groups::Group>>("/v1/groups") {
            Err(Failed::Unreachable(_)) => {}
            Err(Failed::Other(failure)) => return Err(failure),
            Ok(_) => return Ok(asked),
        }
        if self.socket != Path::new(SOCKET) {
            return Err(Failure::undecided(format_args!("no agent answers at {}", self.socket.display()))
                .next("start one there: boltseal agent --groups --socket FILE"));
        }
        if !rustix::process::geteuid().is_root() {
            return Err(Failure::usage(format_args!("no agent answers at {}", self.socket.display()))
                .next("ask as root, who alone can run containers for others"));
        }
        let log = spawn(&self.socket, global)?;
        console.note(format_args!("started an agent in the background, which logs to {}", log.display()));
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if asked.get::<Vec<boltseal_api::groups::Group>>("/v1/groups").is_ok() {
                return Ok(asked);
            }
            std::thread::sleep(LOOK);
        }
        Err(Failure::fault(format_args!(
            "the agent that was started does not answer at {}",
            self.socket.display()
        ))
        .next(format!("see {}", log.display())))
    }
}

fn spawn(socket: &Path, global: &Global) -> Result<PathBuf, Failure> {
    let data = given::data(global)?;
    let folder = data.join("agent");
    fs::create_dir_all(&folder)
        .map_err(|wrong| Failure::fault(format_args!("{}: {wrong}", folder.display())))?;
    let path = folder.join("agent.log");
    let log = || {
        File::options()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|wrong| Failure::fault(format_args!("{}: {wrong}", path.display())))
    };
    let program = std::env::current_exe().map_err(Failure::fault)?;
    Command::new(program)
        .args(["agent", "--groups", "--without-docker", "--socket"])
        .arg(socket)
        .arg("--data")
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(log()?)
        .stderr(log()?)
        // What ends the command on this terminal does not end it.
        .process_group(0)
        .spawn()
        .map_err(Failure::fault)?;
    Ok(path)
}

/// Why there is no answer.
pub enum Failed {
    /// Nobody is there.
    Unreachable(Failure),
    /// Somebody is, and says no.
    Other(Failure),
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Unreachable(failure) | Failed::Other(failure) => failure,
        }
    }
}

impl Asked {
    /// Asks for something.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Failed> {
        self.ask("GET", path, None::<&()>)
    }

    /// Asks for something to be done.
    pub fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failed> {
        let answer = self.runtime.block_on(self.client.ask(method, path, body)).map_err(failed)?;
        answer.ok_or_else(|| Failed::Other(Failure::fault("the agent answered nothing")))
    }

    /// The same where nothing is answered.
    pub fn tell(&self, method: &str, path: &str) -> Result<(), Failed> {
        self.runtime.block_on(self.client.ask::<()>(method, path, None::<&()>)).map_err(failed).map(drop)
    }

    /// What comes one by one, until the terminal interrupts it; gives whether it did.
    pub fn follow_until_interrupted<T: DeserializeOwned>(
        &self,
        path: &str,
        each: impl FnMut(T) -> bool,
    ) -> Result<bool, Failed> {
        self.runtime.block_on(async {
            tokio::select! {
                done = self.client.follow(path, each) => done.map_err(failed).map(|()| false),
                _ = tokio::signal::ctrl_c() => Ok(true),
            }
        })
    }
}

fn failed(error: ClientError) -> Failed {
    let what = clean(&error.to_string());
    match error {
        ClientError::Unreachable { .. } => Failed::Unreachable(
            Failure::undecided(what)
                .next("start one with `boltseal agent --groups`; `boltseal run` does it by itself"),
        ),
        ClientError::Refused(refused) => {
            let failure = if refused.denied { Failure::denied(what) } else { Failure::usage(what) };
            Failed::Other(match refused.next {
                Some(next) => failure.next(next),
                None => failure,
            })
        }
    }
}

/// A container as people name it: `GROUP/CONTAINER`, or `GROUP` where that has only one that does not initialise.
pub fn container(asked: &Asked, named: &str) -> Result<(String, String), Failure> {
    if let Some((group, container)) = named.split_once('/') {
        return Ok((group.to_owned(), container.to_owned()));
    }
    let group: boltseal_api::groups::Group = asked.get(&format!("/v1/groups/{}", segment(named)))?;
    let mut mains = group.containers.into_iter().filter(|one| !one.initialises);
    match (mains.next(), mains.next()) {
        (Some(one), None) => Ok((group.name, one.name)),
        (first, second) => {
            let all: Vec<String> = first.into_iter().chain(second).chain(mains).map(|one| one.name).collect();
            Err(Failure::usage(format_args!("{named} has more than one container: {}", all.join(", ")))
                .next(format!("name one: {named}/{}", all.first().map_or("", String::as_str))))
        }
    }
}

/// One segment of a path (RFC 3986 section 3.3).
pub fn segment(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
