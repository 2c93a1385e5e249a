//! `boltseal registry jobs`: work that takes a while: what goes on, what came of it, stopping it.

use boltseal_api::storage::Job;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, storage as output},
    reach::{Reach, path, query},
};

/// Which.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only of this kind, such as `collect` or `scrub`
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Stop the job with this id; what it has done so far stays done
    #[arg(long, value_name = "ID", conflicts_with = "kind")]
    stop: Option<String>,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    if let Some(id) = &args.stop {
        client.delete(&path(&["jobs", id]))?;
        return Ok(Exit::Pass);
    }
    let all: Vec<Job> = client.get(&query(&["jobs"], &[("kind", args.kind.as_deref())]))?;
    args.written.show(&all, console, |all, paint| output::jobs(all, paint))?;
    Ok(Exit::Pass)
}
