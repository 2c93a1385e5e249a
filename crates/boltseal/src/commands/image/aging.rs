//! `boltseal image aging`: images that should be built again.

use boltseal_api::aging::{Aged, Aging};

use crate::{
    cli::Global,
    commands::registry::retention::days,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, aging as output},
    reach::{Reach, query},
};

/// Parts of the list that are asked for at most: some millions of images.
const MAX_PARTS: usize = 1_000;

/// What to list.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The base of an image is what its annotations say (org.opencontainers.image.base.name and .digest), or the image \
stored on the server whose layers its own begin with. It has a newer one when its tag points elsewhere by now.

In use is what was pulled from the server lately, by tag or by digest. Where images run is not known: one that has been \
running for months without being pulled again is not listed with --in-use.

Examples:
  boltseal image aging --older-than 30d
  boltseal image aging --in-use   # pulled in the last 30 days
  boltseal image aging --in-use=7d")]
pub struct Args {
    /// Built longer ago than this
    #[arg(long, value_name = "DAYS", value_parser = days, default_value = "90d")]
    older_than: u32,
    /// Only images that were pulled within this many days [without a number: 30d]
    #[arg(long, value_name = "DAYS", value_parser = days, num_args = 0..=1, require_equals = true, default_missing_value = "30d")]
    in_use: Option<u32>,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Lists.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let old = args.older_than.to_string();
    let in_use = args.in_use.map(|days| days.to_string());
    let (mut all, mut after): (Vec<Aged>, Option<String>) = (Vec::new(), None);
    for _ in 0..MAX_PARTS {
        let pairs = [
            ("older_than_days", Some(old.as_str())),
            ("in_use_days", in_use.as_deref()),
            ("after", after.as_deref()),
        ];
        let part: Aging = client.get(&query(&["aging"], &pairs))?;
        all.extend(part.images);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    args.written.show(&all, console, |all, paint| output::aging(all, paint))?;
    Ok(Exit::Pass)
}
