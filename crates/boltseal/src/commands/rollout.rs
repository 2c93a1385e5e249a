//! `boltseal rollout GROUP.yaml`

use std::path::{Path, PathBuf};

use boltseal_api::groups::{Rolled, Rollout, Run, Strategy};

use super::run::{MAX_FILE, absolute, pair, secrets};
use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    node::Node,
    output::{Written, groups as output},
};

/// What to replace, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The new group is admitted, pulled and started beside the one of its name. When all of it runs, its readiness probes pass and somebody \
listens on each port that it publishes, its name and its ports move to it at one moment. Conversations that exist stay with the old \
one, which is stopped when they are over, at the latest after --drain. It is kept for `boltseal rollback`, under the name NAME--1 or \
such; the one that was kept before it is removed.

A new group that is not ready after --wait is removed, and the old one never stopped serving. So it is where the agent is killed \
meanwhile: the next one ends with exactly one that serves.

  rolling      the old one is stopped when its conversations are over
  blue-green   the old one goes on running without name and ports: a rollback takes no start, and both need memory

Examples:
  boltseal rollout group.yaml
  boltseal rollout group.yaml --strategy blue-green --wait 60

Exit codes: 0 the new one serves; 1 a policy or the plan said no; 2 usage, or there is no such group that runs; 3 the new one did not \
become ready and the old one serves, or no agent could be asked; 4 internal fault")]
pub struct Args {
    /// Container group: a file
    #[arg(value_name = "GROUP")]
    file: PathBuf,
    /// What becomes of the old one
    #[arg(long, value_name = "STRATEGY", default_value = "rolling")]
    strategy: Kind,
    /// Seconds in which the new one has to become ready
    #[arg(long, value_name = "SECONDS", default_value_t = 300)]
    wait: u32,
    /// Seconds in which the old one may end its conversations
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    drain: u32,
    /// Take this image from there instead of from the registry in its name
    #[arg(long, value_name = "IMAGE=TARGET", value_parser = pair)]
    image: Vec<(String, String)>,
    /// A secret that does not stand in the group's file: `CONTAINER/VARIABLE` or `VOLUME/FILE`, and a file that has it
    #[arg(long, value_name = "NAME=FILE", value_parser = pair)]
    secret: Vec<(String, String)>,
    /// Run images that nobody allowed; the log says so
    #[arg(long)]
    allow_unverified: bool,
    /// Refuse where a control is partial or unavailable on this machine
    #[arg(long)]
    strict: bool,
    /// Let registries speak HTTP without TLS
    #[arg(long)]
    plain_http: bool,
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    written: Written,
}

/// What becomes of a group that is replaced.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub enum Kind {
    /// It is stopped when its conversations are over
    Rolling,
    /// It goes on running without name and ports
    BlueGreen,
}

impl From<Kind> for Strategy {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Rolling => Self::Rolling,
            Kind::BlueGreen => Self::BlueGreen,
        }
    }
}

/// Replaces it.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let run = Run {
        file: args.file.display().to_string(),
        definition: given::bounded(Path::new(&args.file), MAX_FILE)?,
        images: args.image.iter().cloned().map(absolute).collect(),
        secrets: secrets(&args.secret)?,
        allow_unverified: args.allow_unverified,
        strict: args.strict,
        plain_http: args.plain_http,
        attended: None,
    };
    let asked =
        Rollout { run, strategy: args.strategy.into(), wait: Some(args.wait), drain: Some(args.drain) };
    let rolled: Rolled = args.node.agent()?.ask("POST", "/v1/rollouts", Some(&asked))?;
    if rolled.group.unverified {
        console.warning(format_args!("{} runs images that nobody allowed", rolled.group.name));
    }
    told(&rolled, args.written, console)
}

/// Shows which group serves now; it is no success where that is still the old one.
pub fn told(rolled: &Rolled, written: Written, console: &Console) -> Result<Exit, Failure> {
    written.show(rolled, console, |rolled, paint| output::one(&rolled.group, paint))?;
    let Some(why) = &rolled.failed else { return Ok(Exit::Pass) };
    Err(Failure::undecided(format_args!("{why}; {} serves as before", rolled.group.name))
        .next("see what it wrote with `boltseal run` under another name, or give it longer with --wait"))
}
