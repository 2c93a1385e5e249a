//! `boltseal registry gc`: collects garbage now, or shows what would go.

use boltseal_api::storage::{Garbage, Job, NewCollection};

use super::{
    job::{self, Follow},
    there::seconds,
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, storage as output},
    reach::{Reach, path},
};

/// How.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Garbage is what no manifest points to, and bytes that no repository has. It is collected by itself once an \
hour, an hour after its last use, while everybody pushes and pulls; this does it now.

Examples:
  boltseal registry gc --show
  boltseal registry gc --dry-run --follow
  boltseal registry gc --grace 10m --follow
  boltseal registry gc --deep --follow

Exit codes: 0 done, or asked for; 2 usage; 3 it failed or was stopped; 4 internal fault")]
pub struct Args {
    /// Show how much garbage there is, and whose
    #[arg(long, conflicts_with_all = ["dry_run", "grace", "deep", "follow"])]
    show: bool,
    /// Delete nothing, only show what would be deleted
    #[arg(long)]
    dry_run: bool,
    /// Keep what was needed more recently than this, such as 30s, 10m, 1h or 2d [default: as set, one hour]
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    grace: Option<u64>,
    /// Also look through all files for those that the database does not know
    #[arg(long)]
    deep: bool,
    #[command(flatten)]
    follow: Follow,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    if args.show {
        let garbage: Garbage = client.get(&path(&["garbage"]))?;
        args.written.show(&garbage, console, output::garbage)?;
        return Ok(Exit::Pass);
    }
    let asked = NewCollection { dry_run: args.dry_run, grace: args.grace, deep: args.deep };
    let job: Job = client.post(&path(&["garbage", "collections"]), &asked)?;
    job::show(&client, job, &args.follow, args.written, console)
}
