//! `boltseal break-glass …`: in an emergency, several people together.

use std::{
    collections::BTreeSet,
    io::{self, IsTerminal as _},
};

use boltseal_api::{
    access::{BreakGlass, NewShares, Session, Shares},
    client::Client,
};
use boltseal_identity::share::{SHARES, Share};

use crate::{
    cli::Global,
    commands::login::remember,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, path},
    servers::Servers,
    terminal::{Lines, ask_secret},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Make shares for several people; makes all earlier ones useless
    Prepare(Prepare),
    /// Open a session of one hour with enough shares; it alerts
    Open(Open),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Prints one share a line, once. Give each to another person, on paper.

Example:
  boltseal break-glass prepare --shares 5 --threshold 3")]
struct Prepare {
    /// How many people get a share: 2 to 16
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(range()))]
    shares: u8,
    /// How many of them must come together: 2 or more
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u8).range(range()))]
    threshold: u8,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Reads shares from standard input, one a line, or asks for them. Needs no login: the shares are the proof. \
Afterwards you are logged in for an hour, and the reason stands in the audit log.

Example:
  boltseal break-glass open --reason 'the identity provider is down, ticket 4711'

Exit codes: 0 open; 2 usage; 3 the shares are not good, or the server cannot be reached")]
struct Open {
    /// Why: 10 to 500 characters
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

fn range() -> std::ops::RangeInclusive<i64> {
    i64::from(*SHARES.start())..=i64::from(*SHARES.end())
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::Prepare(prepare) => {
            let new = NewShares { shares: prepare.shares, threshold: prepare.threshold };
            let client = args.reach.client(global)?;
            let made: Shares = client.post(&path(&["break-glass", "shares"]), &new)?;
            console.note(format_args!(
                "any {} of these open the glass; they are shown now and never again",
                made.threshold
            ));
            prepare.written.show(&made, console, |made, _| made.shares.join("\n") + "\n")?;
        }
        Verb::Open(open) => {
            let server = args.reach.unproven(global)?;
            let client = Client::new(&server)?;
            let body = BreakGlass { shares: shares()?, reason: open.reason.clone() };
            let session: Session = client.post(&path(&["break-glass", "open"]), &body)?;
            remember(&mut Servers::read()?, &client, session, server.ca, console)?;
        }
    }
    Ok(Exit::Pass)
}

/// All shares of standard input; on a terminal as many as they say are needed.
fn shares() -> Result<Vec<String>, Failure> {
    let mut shares: Vec<String> = Vec::new();
    if !io::stdin().is_terminal() {
        let mut lines = Lines::new();
        while let Some(line) = lines.next("share")? {
            let share = line.trim();
            if !share.is_empty() && shares.len() < usize::from(*SHARES.end()) {
                Share::parse(share).map_err(|wrong| {
                    Failure::usage(format_args!("share {} of standard input: {wrong}", shares.len() + 1))
                })?;
                shares.push(share.to_owned());
            }
        }
        return Ok(shares);
    }
    let (mut seen, mut needed) = (BTreeSet::new(), 1);
    while seen.len() < needed {
        let typed = ask_secret(&format!("share {}", seen.len() + 1), "give shares on standard input")?;
        let share = Share::parse(&typed).map_err(Failure::usage)?;
        needed = usize::from(share.quorum().0);
        if seen.insert(share.index()) {
            shares.push(typed.to_string());
        }
    }
    Ok(shares)
}
