//! `boltseal webhook show` and `set`: how a server answers API servers.

use std::fmt::Write as _;

use boltseal_api::admission::{AdmissionSetting, Logged, Mode, NamespaceSetting, OnUnknown};
use clap::ValueEnum;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, paint::clean},
    reach::{Reach, path},
};

/// How to write it.
#[derive(Debug, clap::Args)]
pub struct Show {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    written: Written,
}

/// What to change.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal webhook set --unknown deny --level baseline --registry registry.example.com
  boltseal webhook set --namespace dev --mode warn --unknown warn")]
pub struct Set {
    #[command(flatten)]
    reach: Reach,
    /// Change what is different in this namespace, instead of what holds everywhere
    #[arg(long, value_name = "NAMESPACE")]
    namespace: Option<String>,
    /// What becomes of images whose verdict is not known
    #[arg(long, value_name = "WHAT")]
    unknown: Option<Unknown>,
    /// Whether refusals refuse, or only warn
    #[arg(long, value_name = "MODE")]
    mode: Option<Refusals>,
    /// The level of the Pod Security Standards that pods are held to; `privileged` leaves them alone
    #[arg(long, value_name = "LEVEL")]
    level: Option<String>,
    /// The version of Kubernetes whose standards they are
    #[arg(long, value_name = "VERSION", conflicts_with = "namespace")]
    kubernetes: Option<String>,
    /// A name under which clusters know this registry, instead of those before; may be given again
    #[arg(long = "registry", value_name = "NAME", conflicts_with = "namespace")]
    registries: Vec<String>,
    /// How to ask for an exception: stands in every refusal
    #[arg(long, value_name = "TEXT", conflicts_with = "namespace")]
    exceptions: Option<String>,
    /// What of the answers is in the log
    #[arg(long, value_name = "WHAT", conflicts_with = "namespace")]
    log: Option<Log>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Log {
    /// What was refused, or would have been
    Refused,
    /// That, and how many were let in
    Counts,
    /// Every answer
    All,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Unknown {
    Deny,
    Warn,
    Allow,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Refusals {
    Enforce,
    Warn,
}

impl Unknown {
    const fn meant(self) -> OnUnknown {
        match self {
            Self::Deny => OnUnknown::Deny,
            Self::Warn => OnUnknown::Warn,
            Self::Allow => OnUnknown::Allow,
        }
    }
}

impl Refusals {
    const fn meant(self) -> Mode {
        match self {
            Self::Enforce => Mode::Enforce,
            Self::Warn => Mode::Warn,
        }
    }
}

/// Shows it.
pub fn show(args: &Show, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let setting: AdmissionSetting = client.get(&path(&["settings", "admission"]))?;
    args.written.show(&setting, console, |setting, _| people(setting))?;
    Ok(Exit::Pass)
}

/// Changes it.
pub fn set(args: &Set, global: &Global) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let place = path(&["settings", "admission"]);
    let mut setting: AdmissionSetting = client.get(&place)?;
    match &args.namespace {
        Some(name) => {
            let own: &mut NamespaceSetting = setting.namespaces.entry(name.clone()).or_default();
            own.unknown = args.unknown.map(Unknown::meant).or(own.unknown);
            own.mode = args.mode.map(Refusals::meant).or(own.mode);
            own.level = args.level.clone().or(own.level.take());
        }
        None => change(args, &mut setting),
    }
    client.put(&place, &setting)?;
    Ok(Exit::Pass)
}

fn change(args: &Set, setting: &mut AdmissionSetting) {
    if let Some(unknown) = args.unknown {
        setting.unknown = unknown.meant();
    }
    if let Some(mode) = args.mode {
        setting.mode = mode.meant();
    }
    if let Some(level) = &args.level {
        setting.level.clone_from(level);
    }
    if let Some(version) = &args.kubernetes {
        setting.version.clone_from(version);
    }
    if !args.registries.is_empty() {
        setting.registries.clone_from(&args.registries);
    }
    if let Some(log) = args.log {
        setting.log = match log {
            Log::Refused => Logged::Refused,
            Log::Counts => Logged::Counts,
            Log::All => Logged::All,
        };
    }
    if args.exceptions.is_some() {
        setting.exceptions.clone_from(&args.exceptions);
    }
}

fn people(setting: &AdmissionSetting) -> String {
    let unknown = |what: OnUnknown| match what {
        OnUnknown::Deny => "are refused",
        OnUnknown::Warn => "run with a warning",
        OnUnknown::Allow => "run",
    };
    let mode = |mode: Mode| match mode {
        Mode::Enforce => "refuse",
        Mode::Warn => "warn",
    };
    let mut out = String::new();
    let _ = writeln!(out, "refusals:       {}", mode(setting.mode));
    let _ = writeln!(out, "unknown images: {}", unknown(setting.unknown));
    let _ = writeln!(out, "pod security:   {} of {}", clean(&setting.level), clean(&setting.version));
    let names: Vec<String> = setting.registries.iter().map(|name| clean(name)).collect();
    let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
    let _ = writeln!(out, "registries:     {names}");
    let exceptions = setting.exceptions.as_deref().map_or_else(|| "-".to_owned(), clean);
    let _ = writeln!(out, "exceptions:     {exceptions}");
    let log = match setting.log {
        Logged::Refused => "what was refused",
        Logged::Counts => "what was refused, and how many were let in",
        Logged::All => "every answer",
    };
    let _ = writeln!(out, "in the log:     {log}");
    for (name, own) in &setting.namespaces {
        let parts = [
            own.mode.map(|one| format!("refusals {}", mode(one))),
            own.unknown.map(|one| format!("unknown images {}", unknown(one))),
            own.level.as_ref().map(|level| format!("pod security {}", clean(level))),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        let _ = writeln!(out, "in {}: {}", clean(name), parts.join(", "));
    }
    out
}
