//! Waiting for a copy that a server makes.

use std::{thread, time::Duration};

use boltseal_api::upstreams::Transfer;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    output::paint::clean,
    progress::Bar,
};

/// How often the server is asked how far it is.
const LOOK: Duration = Duration::from_millis(500);

/// Shows how far it is until it is over.
pub fn follow(
    console: &Console,
    what: &str,
    mut look: impl FnMut() -> Result<Transfer, Failure>,
) -> Result<Exit, Failure> {
    let (bar, mut planned) = (Bar::new(console, what), 0);
    loop {
        let transfer = look()?;
        bar.plan(transfer.total.saturating_sub(planned));
        planned = planned.max(transfer.total);
        bar.reach(transfer.done);
        let message = clean(&transfer.message.unwrap_or_default());
        match transfer.state.as_str() {
            "done" => {
                bar.end();
                console.note(format_args!("{what}: {message}"));
                return Ok(Exit::Pass);
            }
            "failed" | "stopped" => {
                bar.end();
                return Err(Failure::undecided(format_args!("{what} {}: {message}", transfer.state)));
            }
            _ => thread::sleep(LOOK),
        }
    }
}
