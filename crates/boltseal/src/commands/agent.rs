//! `boltseal agent`

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use boltseal_agent::{
    Gate, Identity, docker,
    groups::{
        Engine, Judge, Judging, Own, Settings,
        socket::{self, SOCKET},
    },
    network,
};
use boltseal_flow::{Cache, Looking, Wanted, feeds::Feeds, rules::Rules};
use boltseal_model::{Ruling, Standing, Timestamp};
use boltseal_runtime::{Host, start::oci::Runtime};
use zeroize::Zeroizing;

use crate::{
    cli::Global,
    commands::up::{self, LogFormat},
    console::Console,
    exit::{Exit, Failure},
    given, moment,
    reach::Reach,
    service,
};

/// What the kernel calls this node.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";
/// A secret has some dozens of characters.
const MAX_SECRET: usize = 4096;

/// Where what does not outlive the machine lies, if the socket is in no folder.
const RUN: &str = "/run/boltseal";

/// Beside which engine.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The engine asks the agent before it does anything (Docker's authorization plugins). Containers and services start only \
where the server's verdict about their image, by digest, lets them; what they ask for beyond the sealed default \
(host namespaces, capabilities, devices, folders of the host) must be opened in the settings; every command that changes \
something is in the server's audit log before it is done. What cannot be asked or recorded is refused.

Set up, once:
  boltseal sp create node-1                                  # prints a secret: keep it in a file for root only
  boltseal role assign \"Node Agent\" --to node-1 --scope /
  boltseal agent --server registry.example.com:8443 --name node-1 --secret-file /etc/boltseal/secret
  # in /etc/docker/daemon.json, then restart the engine:
  {\"authorization-plugins\": [\"boltseal\"]}

Settings (all optional):
  version: 1
  unknown: deny            # images that nobody judged: deny, warn or allow
  registries: [registry.example.com]          # where images may be pulled from [default: anywhere]
  openings: [network=host, capability=NET_ADMIN, mount=/srv/data]
  build: deny              # builds run what nobody judged
  plugins: deny            # plugins of the engine run as root
  unrecorded: deny         # what is done while the log cannot be reached

Exit codes: 0 stopped as asked; 2 usage; 4 could not start")]
pub struct Args {
    /// Where the engine looks for the plugin
    #[arg(long, value_name = "SOCKET", default_value = "/run/docker/plugins/boltseal.sock")]
    docker_plugin: PathBuf,
    /// Where the engine listens
    #[arg(long, value_name = "SOCKET", default_value = "/var/run/docker.sock")]
    docker_engine: PathBuf,
    /// What this node allows beyond the sealed default [default: nothing]
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// What the audit log calls this node: `/hosts/NAME` [default: its host name]
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
    /// Service principal that asks [default: as at the login, which ends after an hour]
    #[arg(long, value_name = "NAME", requires = "secret_file")]
    name: Option<String>,
    /// File with its secret, readable by nobody else
    #[arg(long, value_name = "FILE", requires = "name")]
    secret_file: Option<PathBuf>,
    /// How often it is looked whether groups with the tag `boltseal.rollout-on` are to be replaced: 90s, 30m, 1h
    #[arg(long, value_name = "SPAN", default_value = "1h", value_parser = moment::pause)]
    renew_every: Duration,
    /// How long layers of images are kept that no group on this node uses: 0s, 90m, 24h. Sooner where an image needs the room
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = moment::lasting)]
    keep_layers: Duration,
    /// Run container groups on this node too, asked by a socket for root alone: see `boltseal run`
    #[arg(long)]
    groups: bool,
    /// No plugin for Docker: with --groups alone, this node needs no server
    #[arg(long, requires = "groups")]
    without_docker: bool,
    /// Have another OCI runtime make the containers: `runc`, or the file of one that is called as it is
    #[arg(long, value_name = "PROGRAM", requires = "groups")]
    runtime: Option<PathBuf>,
    /// Where it is asked about container groups
    #[arg(long, value_name = "SOCKET", default_value = SOCKET)]
    socket: PathBuf,
    /// What to log: error, warn, info, debug or trace, also by module
    #[arg(long, value_name = "FILTER", default_value = "info", env = "BOLTSEAL_LOG")]
    log: String,
    /// How to log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
    #[command(flatten)]
    reach: Reach,
}

/// Runs until it is told to stop.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    up::log(&args.log, args.log_format, console)?;
    let settings = match &args.settings {
        None => docker::Settings::default(),
        Some(file) => docker::Settings::read(&given::text(file)?)
            .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display())))?,
    };
    let identity = match (&args.name, &args.secret_file) {
        (Some(name), Some(file)) => Some(Identity { name: name.clone(), secret: secret(file)? }),
        _ => None,
    };
    let gate = if args.without_docker && identity.is_none() && !args.reach.is_known()? {
        None
    } else {
        let server =
            if identity.is_some() { args.reach.unproven(global)? } else { args.reach.server(global)? };
        Some(Gate::new(server, identity))
    };
    let host = match &args.host {
        Some(host) => host.clone(),
        None => given::text(Path::new(HOST_NAME))?.trim().to_owned(),
    };
    let runtime = tokio::runtime::Runtime::new().map_err(Failure::fault)?;
    runtime.block_on(async {
        let told = service::stop()?;
        let stopped = |mut told: tokio::sync::watch::Receiver<bool>| async move {
            let _the_end_either_way = told.wait_for(|stop| *stop).await;
        };
        let engine = if args.groups { Some(engine(args, &host, gate.clone(), global).await?) } else { None };
        let plugin = async {
            let Some(gate) = gate.filter(|_| !args.without_docker) else { return Ok(()) };
            let address = gate.address().to_owned();
            let plugin = docker::Plugin::new(gate, settings, &host).engine(&args.docker_engine);
            tracing::info!(plugin = %args.docker_plugin.display(), server = %address, %host, "ready");
            plugin.serve(&args.docker_plugin, stopped(told.clone())).await.map_err(|wrong| {
                Failure::fault(format_args!("cannot serve {}: {wrong}", args.docker_plugin.display()))
                    .next("run it as root, and one agent a node")
            })
        };
        let groups = async {
            let Some(engine) = engine else { return Ok(()) };
            tracing::info!(socket = %args.socket.display(), "ready for container groups");
            socket::serve(engine.clone(), &args.socket, stopped(told.clone())).await.map_err(|wrong| {
                Failure::fault(format_args!("cannot serve {}: {wrong}", args.socket.display()))
                    .next("run it as root, and one agent a node")
            })?;
            // Containers go on without an agent, and the next one finds them.
            engine.let_go().await;
            Ok(())
        };
        tokio::try_join!(plugin, groups).map(drop)
    })?;
    Ok(Exit::Pass)
}

/// What runs container groups. Without a server, this node judges images by itself.
async fn engine(args: &Args, host: &str, gate: Option<Gate>, global: &Global) -> Result<Engine, Failure> {
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::usage("only root can give containers users of their own").next("run it as root"));
    }
    let data = given::data(global)?;
    let judge = match gate {
        Some(gate) => Judge::Server(gate),
        None => Judge::Own(Own(own(global)?)),
    };
    let run = args.socket.parent().map_or_else(|| PathBuf::from(RUN), Path::to_owned);
    let settings = Settings {
        data: data.join("agent"),
        run,
        program: std::env::current_exe().map_err(Failure::fault)?,
        runtime: args.runtime.as_deref().map(runtime).transpose()?,
        feeds: data,
        host: host.to_owned(),
        judge,
        renew_every: args.renew_every,
        keep_layers: args.keep_layers,
    };
    Engine::open(settings, network::Settings::default()).await.map_err(Failure::fault)
}

/// The OCI runtime of that name, or at that path, if it can do what plans say.
fn runtime(named: &Path) -> Result<PathBuf, Failure> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = if named.components().count() == 1 {
        std::env::split_paths(&path).map(|folder| folder.join(named)).find(|file| file.is_file())
    } else {
        std::path::absolute(named).ok()
    };
    let missing = || {
        Failure::usage(format_args!("there is no runtime {} on this node", named.display()))
            .next("name its file, or leave --runtime out: containers are made by this program then")
    };
    let program = found.ok_or_else(missing)?;
    Runtime::check(&program, &Host::probe()).map_err(|lacks| {
        Failure::usage(lacks).next("leave --runtime out: containers are made by this program then")
    })?;
    Ok(program)
}

/// The same verdict as `boltseal gate` gives, by the policy and the vulnerability data in the data folder, as they are then.
fn own(global: &Global) -> Result<Box<Judging>, Failure> {
    let data = given::data(global)?;
    let policy = data.join("policy.yaml");
    Ok(Box::new(move |target, options| {
        let judged = || -> Result<Ruling, String> {
            let text = |wrong: &dyn std::fmt::Display| wrong.to_string();
            let rules = if policy.exists() {
                Rules::read(&policy).map_err(|wrong| text(&wrong))?
            } else {
                Rules::built_in()
            };
            let snapshot = Feeds::at(&data).open().map_err(|wrong| text(&wrong))?;
            let cache = Cache::at(&data);
            let wanted = Wanted { target, options, cache: Some(&cache), looking: Looking::default() };
            let now = Timestamp::now();
            let mut report =
                boltseal_flow::scan(&wanted, snapshot.as_ref(), now).map_err(|wrong| text(&wrong))?;
            boltseal_flow::statements::witness(&wanted, &[], &rules, &mut report, now)
                .map_err(|wrong| text(&wrong))?;
            boltseal_flow::judge(&mut report, &rules.policy, now);
            let verdict = report.verdict.ok_or_else(|| "it has no verdict".to_owned())?;
            Ok(Ruling::of(&Standing::Judged(verdict), now))
        };
        judged().unwrap_or_else(|why| Ruling::unknown(&why))
    }))
}

/// The secret in a file that only its owner may read.
pub fn secret(file: &Path) -> Result<Zeroizing<String>, Failure> {
    use std::os::unix::fs::PermissionsExt as _;

    let wrong = |what: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {what}", file.display()));
    let mode = std::fs::metadata(file).map_err(|error| wrong(&error))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(wrong(&"others can read this secret").next(format!("chmod 600 {}", file.display())));
    }
    let text = Zeroizing::new(std::fs::read_to_string(file).map_err(|error| wrong(&error))?);
    match text.trim() {
        "" => Err(wrong(&"it is empty")),
        secret if secret.len() > MAX_SECRET => Err(wrong(&"this is no secret of ours")),
        secret => Ok(Zeroizing::new(secret.to_owned())),
    }
}
