//! `boltseal registry mirror …`: repositories of another registry that are copied here again and again.

use boltseal_api::upstreams::{Mirror, MirrorChange, MirrorStatus, NewMirror, Transfer};

use super::{
    there::{There, seconds},
    transfer::follow,
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, upstreams as output},
    reach::{Reach, path},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a mirror, or change the one of that name
    Add(Box<Add>),
    /// List all mirrors
    Ls(Written),
    /// Remove a mirror; images that it copied stay
    Rm(Name),
    /// Copy now, whatever the schedule says
    Run(Run),
    /// Show a mirror, its runs, and the progress of the current one
    Status(Status),
    /// Suspend its schedule, and stop the current run
    Pause(Name),
    /// Follow its schedule again
    Resume(Name),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is here is not fetched again. What comes is scanned and judged like anything pushed. No tag says when it \
was made: --newest takes the highest, as versions are ordered.

Examples:
  boltseal registry mirror add debian --host docker.io --to mirror \\
    --repository library/debian --tag '12*' --tag '13*' --skip '*-backports' \\
    --platform linux/amd64 --every 6h
  boltseal registry mirror add tools --host ghcr.io --to tools \\
    --repository team/a --repository team/b \\
    --newest 5 --referrers --every 1d --username robot < password.txt")]
struct Add {
    /// Name of the mirror: lower-case letters, digits and `-`
    name: String,
    /// Host of the other registry, and port if any
    #[arg(long)]
    host: String,
    /// Repository there. May be given several times
    #[arg(long = "repository", value_name = "NAME", required = true)]
    repositories: Vec<String>,
    /// What to put before those names here: `mirror` makes it `mirror/library/debian`
    #[arg(long = "to", value_name = "NAME")]
    destination: String,
    /// Only tags that match; * stands for any text. May be given several times
    #[arg(long = "tag", value_name = "PATTERN")]
    tags: Vec<String>,
    /// Not tags that match. May be given several times
    #[arg(long, value_name = "PATTERN")]
    skip: Vec<String>,
    /// Of the tags that match, only this many: the highest versions
    #[arg(long, value_name = "NUMBER")]
    newest: Option<u32>,
    /// Only this platform of an index, such as linux/arm64. May be given several times
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<String>,
    /// Also signatures, SBOMs and whatever else refers to an image
    #[arg(long)]
    referrers: bool,
    /// How often, such as 6h or 1d; without it, only by `mirror run`
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    every: Option<u64>,
    /// Remove tags here that were removed there
    #[arg(long)]
    delete: bool,
    #[command(flatten)]
    there: There,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the mirror
    name: String,
}

#[derive(Debug, clap::Args)]
struct Run {
    /// Name of the mirror
    name: String,
    /// Do not wait until it is done
    #[arg(long)]
    detach: bool,
}

#[derive(Debug, clap::Args)]
struct Status {
    /// Name of the mirror
    name: String,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    let at = |name: &str| path(&["mirrors", name]);
    match &args.verb {
        Verb::Add(add) => {
            let _: Mirror = client.post(&path(&["mirrors"]), &mirror(add)?)?;
        }
        Verb::Ls(written) => {
            let all: Vec<Mirror> = client.get(&path(&["mirrors"]))?;
            written.show(&all, console, |all, paint| output::mirrors(all, paint))?;
        }
        Verb::Rm(Name { name }) => client.delete(&at(name))?,
        Verb::Run(Run { name, detach }) => {
            let begun: Transfer = client.post(&path(&["mirrors", name, "runs"]), &())?;
            if *detach {
                console.data(&format!("{}\n", begun.id))?;
                return Ok(Exit::Pass);
            }
            let (name, id) = (name.clone(), begun.id);
            return follow(console, &format!("mirror {name}"), || {
                let status: MirrorStatus = client.get(&at(&name))?;
                let found = status.runs.into_iter().find(|run| run.id == id);
                found.ok_or_else(|| Failure::undecided("the run is not known any more"))
            });
        }
        Verb::Status(Status { name, written }) => {
            let status: MirrorStatus = client.get(&at(name))?;
            written.show(&status, console, output::mirror)?;
        }
        Verb::Pause(Name { name }) => client.change(&at(name), &MirrorChange { paused: true })?,
        Verb::Resume(Name { name }) => client.change(&at(name), &MirrorChange { paused: false })?,
    }
    Ok(Exit::Pass)
}

fn mirror(add: &Add) -> Result<NewMirror, Failure> {
    let mirror = Mirror {
        name: add.name.clone(),
        host: add.host.clone(),
        repositories: add.repositories.clone(),
        destination: add.destination.clone(),
        tags: add.tags.clone(),
        skip: add.skip.clone(),
        newest: add.newest,
        platforms: add.platforms.clone(),
        referrers: add.referrers,
        every: add.every,
        delete: add.delete,
        paused: false,
        username: add.there.username.clone(),
        plain_http: add.there.plain_http,
        ca: add.there.authority()?,
    };
    Ok(NewMirror { mirror, password: add.there.password()? })
}
