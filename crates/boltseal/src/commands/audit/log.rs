//! `boltseal audit log`

use std::{collections::VecDeque, time::Duration};

use boltseal_api::{
    access::WhoAmI,
    audit::{Recorded, Records},
};
use boltseal_audit::query::Filter;
use boltseal_identity::Action;

use super::{
    folder::LogFolder,
    place::{LogServer, Place},
    search::{Meant, Newest, newest, since},
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Form, records},
    reach::{Reach, query},
};

/// How often a folder is looked at; an entry is sealed within a second.
const FOLDER: Duration = Duration::from_millis(500);
/// How often a server is asked: each question is itself recorded.
const SERVER: Duration = Duration::from_secs(2);
/// Records of a page.
const PAGE: usize = 1000;

/// Which records, and how to show them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Oldest first, so that the newest stand at the end. With --format json each line is a document \
{\"index\", \"sealed\", \"record\"}, whose record is an OCSF event.

Examples:
  boltseal audit log --outcome denied --since 24h
  boltseal audit log --who ci --subject /registries/main/repositories/team
  boltseal audit log --what sign-in --follow
  boltseal audit log --format json -n 1000 | jq -r .record.actor.user.name | sort | uniq -c

Exit codes: 0 done; 1 you may not read the log; 2 usage; 3 it cannot be read")]
pub struct Args {
    #[command(flatten)]
    meant: Meant,
    /// How many, counted from the newest
    #[arg(long, short, value_name = "N", default_value_t = 50)]
    n: usize,
    /// Go on with what happens from now on
    #[arg(long)]
    follow: bool,
    /// How to write them
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Form,
}

/// Shows records.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let filter = args.meant.filter()?;
    match Place::of(reach, global, None, None)? {
        Place::Folder(folder) => of_folder(args, &folder, &filter, console)?,
        Place::Server(server) => of_server(args, &server, &filter, console)?,
    }
    Ok(Exit::Pass)
}

fn of_folder(args: &Args, folder: &LogFolder, filter: &Filter, console: &Console) -> Result<(), Failure> {
    let Newest { found, mut next, gone } = newest(folder, filter, args.n)?;
    if gone > 0 {
        console.note(format_args!(
            "entries before {gone} are not in the folder: archived, or lost, which `boltseal audit verify` tells"
        ));
    }
    begin(args, &found, console)?;
    if !args.follow {
        return Ok(());
    }
    loop {
        std::thread::sleep(FOLDER);
        let (found, now) = since(folder, filter, next)?;
        show(args, &found, console)?;
        next = now;
    }
}

fn of_server(args: &Args, server: &LogServer, filter: &Filter, console: &Console) -> Result<(), Failure> {
    let (found, mut next) = page_back(server, filter, args.n, 0)?;
    begin(args, &found, console)?;
    if !args.follow {
        return Ok(());
    }
    let me: WhoAmI = server.client.get("/api/v1/whoami")?;
    loop {
        std::thread::sleep(SERVER);
        let (mut found, now) = page_back(server, filter, usize::MAX, next)?;
        // To look is recorded as well; who watches the log does not want to watch that.
        found.retain(|one| !is_looking(one, &me));
        show(args, &found, console)?;
        next = now;
    }
}

/// The newest `most` records from entry `from` on, oldest first, and the number of the entry after the newest of all.
fn page_back(
    server: &LogServer,
    filter: &Filter,
    most: usize,
    from: u64,
) -> Result<(Vec<Recorded>, u64), Failure> {
    let mut found: VecDeque<Recorded> = VecDeque::new();
    let (mut before, mut next) = (None::<u64>, from);
    loop {
        let limit = PAGE.min(most.saturating_sub(found.len())).max(1).to_string();
        let start = before.map(|before| before.to_string());
        let pairs = filter.pairs();
        let mut asked: Vec<(&str, Option<&str>)> =
            pairs.iter().map(|(name, value)| (*name, Some(value.as_str()))).collect();
        asked.extend([("limit", Some(limit.as_str())), ("before", start.as_deref())]);
        let page: Records = server.client.get(&query(&["audit", "records"], &asked))?;
        for one in page.records {
            next = next.max(one.index + 1);
            if one.index >= from && found.len() < most {
                found.push_front(one);
            }
        }
        match page.next {
            Some(older)
                if older > from && found.len() < most && before.is_none_or(|before| older < before) =>
            {
                before = Some(older);
            }
            _ => return Ok((found.into(), next)),
        }
    }
}

fn is_looking(one: &Recorded, me: &WhoAmI) -> bool {
    let record = records::parsed(one);
    record.is_some_and(|record| {
        record.action == Action::AuditRead.name() && record.actor.id == me.id.to_string()
    })
}

/// Tells that nothing is meant, rather than nothing at all.
fn begin(args: &Args, found: &[Recorded], console: &Console) -> Result<(), Failure> {
    if found.is_empty() && !args.follow {
        console.note("no record is meant");
    }
    show(args, found, console)
}

fn show(args: &Args, found: &[Recorded], console: &Console) -> Result<(), Failure> {
    let mut out = String::new();
    for one in found {
        match args.format {
            Form::Table => records::line(one, console.paint(None), &mut out),
            Form::Json => {
                out.push_str(&serde_json::to_string(one).map_err(Failure::fault)?);
                out.push('\n');
            }
        }
    }
    console.data(&out)
}
