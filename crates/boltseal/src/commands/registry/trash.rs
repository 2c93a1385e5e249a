//! `boltseal registry trash`: for how long deleted images can be taken back.

use boltseal_api::life::TrashSettings;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, path},
};

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`boltseal image trash` lists what was deleted, `boltseal image undelete` takes it back.

Example:
  boltseal registry trash --days 30")]
pub struct Args {
    /// Keep deleted images for this many days, at most 90; 0 deletes at once
    #[arg(long, value_name = "NUMBER")]
    days: Option<u32>,
    #[command(flatten)]
    written: Written,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    let settings = path(&["trash", "settings"]);
    if let Some(days) = args.days {
        client.change(&settings, &TrashSettings { days })?;
        return Ok(Exit::Pass);
    }
    let found: TrashSettings = client.get(&settings)?;
    args.written.show(&found, console, |found, _| match found.days {
        0 => "deleted images are gone at once\n".to_owned(),
        1 => "deleted images can be taken back for a day\n".to_owned(),
        days => format!("deleted images can be taken back for {days} days\n"),
    })?;
    Ok(Exit::Pass)
}
