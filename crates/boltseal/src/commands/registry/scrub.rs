//! `boltseal registry scrub`: reads stored bytes again and holds them against their digest.

use boltseal_api::storage::{Job, NewScrub};

use super::job::{self, Follow};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, path},
};

/// How.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
What is damaged is set aside and not served any more. What came from an upstream or a mirror is fetched again \
from there at once; the rest is repaired by the next push of it. Everything is read by itself once in thirty \
days; this does it now.

Examples:
  boltseal registry scrub --follow
  boltseal registry scrub --days 0 --rate 200000000 --follow

Exit codes: 0 done, or asked for; 2 usage; 3 it failed or was stopped; 4 internal fault")]
pub struct Args {
    /// Skip what was read within this many days; 0 reads everything [default: as set, 30]
    #[arg(long, value_name = "DAYS")]
    days: Option<u32>,
    /// Bytes to read in a second [default: as set, 20000000]
    #[arg(long, value_name = "BYTES")]
    rate: Option<u64>,
    #[command(flatten)]
    follow: Follow,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    let job: Job = client.post(&path(&["scrubs"]), &NewScrub { days: args.days, rate: args.rate })?;
    job::show(&client, job, &args.follow, args.written, console)
}
