//! `boltseal findings …`: what became newly vulnerable on a server, and what is so no more.

use boltseal_api::findings::{Change, Changes};
use boltseal_model::{Severity, Timestamp};
use clap::builder::PossibleValuesParser;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given, moment,
    output::{Written, findings as output},
    reach::{Reach, query},
};

/// Changes of one part of the list.
const PART: usize = 500;
/// Causes that can be asked for.
const CAUSES: [&str; 7] = ["feed", "scanner", "returned", "exploited", "worse", "likely", "fixable"];

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
    /// List findings that came to stored images after their push, or grew worse, the newest first
    New(New),
    /// List findings that are not there any more, the newest first
    Gone(Wanted),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
What an image had when it was pushed is not new; what new vulnerability data found later is. A finding is listed again \
when it becomes known to be exploited, more severe, or more likely to be exploited by a tenth (EPSS). What has gone since \
is not listed.

Causes: feed (new data), scanner (it sees more), returned, exploited, worse, likely; fixable (there is a fix now) only if \
asked for.

Examples:
  boltseal findings new --since 24h --severity high
  boltseal findings new --cause exploited --repository 'team/*'
  boltseal findings new --since 7d --format json")]
struct New {
    /// Only with this cause. May be given several times
    #[arg(long = "cause", value_name = "CAUSE", value_parser = PossibleValuesParser::new(CAUSES))]
    causes: Vec<String>,
    #[command(flatten)]
    wanted: Wanted,
}

#[derive(Debug, clap::Args)]
struct Wanted {
    /// Noticed since then: a span such as 24h or 7d, a date, or a moment
    #[arg(long, value_name = "WHEN", value_parser = moment::past, default_value = "7d")]
    since: Timestamp,
    /// At least this severe
    #[arg(long, value_name = "SEVERITY", value_parser = given::severity())]
    severity: Option<Severity>,
    /// Only in repositories that match; * stands for any text
    #[arg(long, value_name = "PATTERN")]
    repository: Option<String>,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: usize,
    #[command(flatten)]
    written: Written,
}

/// Lists.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let (kind, wanted, causes) = match &args.verb {
        Verb::New(new) => ("new", &new.wanted, new.causes.join(",")),
        Verb::Gone(wanted) => ("gone", wanted, String::new()),
    };
    let client = args.reach.client(global)?;
    let since = wanted.since.to_string();
    let (mut all, mut after): (Vec<Change>, Option<u64>) = (Vec::new(), None);
    while all.len() < wanted.limit {
        let limit = (wanted.limit - all.len()).min(PART).to_string();
        let from = after.map(|after| after.to_string());
        let pairs = [
            ("since", Some(since.as_str())),
            ("severity", wanted.severity.map(Severity::word)),
            ("cause", Some(causes.as_str()).filter(|causes| !causes.is_empty())),
            ("repository", wanted.repository.as_deref()),
            ("limit", Some(limit.as_str())),
            ("after", from.as_deref()),
        ];
        let part: Changes = client.get(&query(&["findings", kind], &pairs))?;
        all.extend(part.rows);
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    let more = after.is_some();
    wanted.written.show(&all, console, |all, paint| output::changes(all, kind == "gone", more, paint))?;
    Ok(Exit::Pass)
}
