//! Watching a job until its end.

use std::{thread, time::Duration};

use boltseal_api::{client::Client, storage::Job};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    output::{Written, storage as output},
    progress::Bar,
    reach::path,
};

/// How often to ask how far it is.
const AGAIN: Duration = Duration::from_millis(500);

/// Whether to stay.
#[derive(Debug, clap::Args)]
pub struct Follow {
    /// Wait until it is done, and show its progress
    #[arg(long)]
    follow: bool,
}

/// Shows a job, at its end if asked to wait for that.
pub fn show(
    client: &Client,
    job: Job,
    follow: &Follow,
    written: Written,
    console: &Console,
) -> Result<Exit, Failure> {
    let job = if follow.follow { ended(client, job, console)? } else { job };
    written.show(&job, console, output::job)?;
    Ok(if job.is_over() && job.state != "done" { Exit::Undecided } else { Exit::Pass })
}

fn ended(client: &Client, mut job: Job, console: &Console) -> Result<Job, Failure> {
    let bar = Bar::new(console, job.kind.clone());
    let mut planned = 0;
    while !job.is_over() {
        thread::sleep(AGAIN);
        job = client.get(&path(&["jobs", &job.id]))?;
        bar.plan(job.total.saturating_sub(planned));
        planned = planned.max(job.total);
        bar.reach(job.done);
    }
    bar.end();
    Ok(job)
}
