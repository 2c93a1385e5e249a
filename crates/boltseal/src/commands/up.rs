//! `boltseal up`

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Instant,
};

use clap::ValueEnum;
use tracing_subscriber::{EnvFilter, fmt::format::FmtSpan};

use crate::{
    cli::Global,
    console::Console,
    endorsers::PolicySignedBy,
    exit::{Exit, Failure},
    given,
    service::{self, LogSetup, Setup, Storage},
};

/// What to run and where.
#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags that have nothing to do with each other")]
#[command(after_help = "\
The first start prints the name and the secret to push and pull with, and a link that signs in to the \
dashboard once. SIGHUP, `boltseal feeds …` and changes of the policy take effect without a restart; \
SIGTERM and SIGINT finish what runs.

Example:
  boltseal up --data /srv/boltseal --listen 0.0.0.0:8443 --name registry.example.com

Exit codes: 0 stopped as asked; 2 usage; 4 could not start")]
pub struct Args {
    /// Address of everything, over TLS: dashboard, API and registry
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Address of the registry over plain HTTP, for this machine only
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5000")]
    registry_listen: SocketAddr,
    /// Let other machines reach the plain HTTP address; whoever is on the way can then read the secret
    #[arg(long)]
    allow_plain_http: bool,
    /// Also make the certificate out to this host name or address. May be given several times
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,
    /// The rules, whatever `boltseal policy apply` says [default: what was applied last, else policy.yaml in the data folder, else
    /// the built-in policy]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    policy_signed_by: PolicySignedBy,
    /// Use the signed policy file although it is older than one that was in force; that it was is recorded
    #[arg(long, requires = "policy_signers")]
    policy_rollback: bool,
    /// Print a link that signs in once, also when this is not the first start
    #[arg(long)]
    sign_in_link: bool,
    /// Make another secret for `admin` and print it; its tokens and sessions end
    #[arg(long)]
    new_admin_secret: bool,
    /// Folder that remembers the newest checkpoint of the audit log. Keep it apart from the data folder, so that an old
    /// copy of that is noticed [default: `$XDG_STATE_HOME/boltseal` or `~/.local/state/boltseal`]
    #[arg(long, value_name = "DIR")]
    audit_anchors: Option<PathBuf>,
    /// Go on with an audit log that was restored from a backup; the reason is recorded
    #[arg(long, value_name = "REASON")]
    accept_restored_log: Option<String>,
    /// Serve pulls also while the audit log cannot be written; by default they are refused then
    #[arg(long)]
    pulls_without_log: bool,
    /// What to log: error, warn, info, debug or trace, also by module
    #[arg(long, value_name = "FILTER", default_value = "info", env = "BOLTSEAL_LOG")]
    log: String,
    /// How to log
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,
}

/// How to log.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs, an object a line.
    Json,
}

/// Runs until it is told to stop.
pub fn run(args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    run_on(Storage::Folder, args, global, console)
}

/// The same on storage of some kind.
pub fn run_on(storage: Storage, args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let started = Instant::now();
    if !args.registry_listen.ip().is_loopback() && !args.allow_plain_http {
        return Err(Failure::usage(format_args!(
            "--registry-listen {} is reachable from other machines and not encrypted",
            args.registry_listen
        ))
        .next("push to the TLS address instead, or accept that with --allow-plain-http"));
    }
    log(&args.log, args.log_format, console)?;
    let data = given::data(global)?;
    if let Some(policy) = &args.policy {
        given::rules(policy)?; // one that was asked for by name must be there
    }
    let mut names = args.name;
    let address = args.listen.ip();
    if !address.is_unspecified() && !is_local(address) {
        names.push(address.to_string());
    }
    let log = LogSetup {
        anchors: args.audit_anchors.unwrap_or_else(|| given::state(&data)),
        accept_restored: args.accept_restored_log,
        pulls_without_log: args.pulls_without_log,
    };
    let setup = Setup {
        endorsers: args.policy_signed_by.endorsers()?,
        policy_rollback: args.policy_rollback,
        policy_named: args.policy.is_some(),
        policy: args.policy.unwrap_or_else(|| data.join(given::POLICY)),
        data,
        storage,
        listen: args.listen,
        registry_listen: args.registry_listen,
        names,
        sign_in_link: args.sign_in_link,
        new_admin_secret: args.new_admin_secret,
        log,
        started,
    };
    boltseal_sys::give_back_freed_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("boltseal")
        .build()
        .map_err(|wrong| Failure::fault(format_args!("cannot start threads: {wrong}")))?;
    let ended = runtime.block_on(service::run(setup, console));
    runtime.shutdown_background();
    ended.map(|()| Exit::Pass)
}

/// These names stand in every certificate.
fn is_local(address: IpAddr) -> bool {
    address == IpAddr::from([127, 0, 0, 1]) || address == IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1])
}

/// Logs to stderr what `filter` lets through.
pub fn log(filter: &str, format: LogFormat, console: &Console) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|wrong| Failure::usage(format_args!("--log {filter}: {wrong}")))?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        .with_ansi(console.colour_err())
        // It would be told to the same place, which a full disk makes a panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let begun = match format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().try_init(),
    };
    begun.map_err(|wrong| Failure::fault(format_args!("cannot log: {wrong}")))
}
