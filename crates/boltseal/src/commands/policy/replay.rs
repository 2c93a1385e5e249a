//! `boltseal policy replay DRAFT`

use std::{
    collections::{BTreeMap, HashSet},
    fmt::Write as _,
    path::PathBuf,
};

use boltseal_api::client::Client;
use boltseal_model::{Decision, Digest, Report, Timestamp};
use boltseal_policy::{Facts, Policy, Replayed, decide};
use serde::{Deserialize, Serialize};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        Written,
        packages::grid,
        paint::{Paint, clean, count},
    },
    reach::{Reach, query},
};

/// Rows of one page.
const PAGE: usize = 200;
/// Images of one replay: an hour's work, and more than anybody looks through.
const MAX_IMAGES: usize = 100_000;
/// Days that pulls are kept apart.
const MAX_DAYS: i64 = 400;

/// Which draft, and how far back.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The decisions are those that the server has recorded about images that were judged, pushed or pulled in these days, with the \
facts they were made from. Nothing is scanned again and nothing is changed. Signatures count as the policy in force found them.

Examples:
  boltseal policy replay draft.yaml
  boltseal policy replay draft.yaml --days 7 --format json

Exit codes: 0 replayed, whatever would change; 2 the draft is no policy; 3 the server cannot be asked")]
pub struct Args {
    /// The policy that is to be
    draft: PathBuf,
    /// How many days back
    #[arg(long, value_name = "DAYS", default_value_t = 30, value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    days: i64,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// What would change.
#[derive(Debug, Serialize)]
struct Replay {
    /// Name of the draft.
    draft: String,
    /// Digest of the draft.
    draft_digest: Digest,
    /// How many days back.
    days: i64,
    /// Images with a recorded decision in these days.
    images: usize,
    /// Of these, those about which gates would answer otherwise.
    turned: usize,
    /// By rule: how many images it refuses that pass now, and how many it no longer refuses.
    rules: Vec<ByRule>,
    /// Image by image, the strictest first.
    changes: Vec<Changed>,
    /// Images about which the draft asks what nobody looked at yet.
    unseen: usize,
}

#[derive(Debug, Default, Serialize)]
struct ByRule {
    rule: String,
    refuses: usize,
    allows: usize,
}

#[derive(Debug, Serialize)]
struct Changed {
    image: String,
    digest: Digest,
    /// Pulls in these days.
    pulls: u64,
    #[serde(flatten)]
    what: Replayed,
}

#[derive(Debug, Deserialize)]
struct Page {
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Row {
    repository: String,
    #[serde(default)]
    tags: Vec<String>,
    digest: Digest,
    pushed_at: Timestamp,
    judged_at: Option<Timestamp>,
    decision: Option<Decision>,
}

#[derive(Debug, Deserialize)]
struct Pulls {
    days: Vec<DayPulls>,
}

#[derive(Debug, Deserialize)]
struct DayPulls {
    number: u64,
}

/// Replays, prints, and answers.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let draft = given::rules(&args.draft)?.policy;
    let client = args.reach.client(global)?;
    let now = Timestamp::now();
    let since = now - jiff::SignedDuration::from_hours(24 * args.days);
    let mut replay = Replay {
        draft: draft.name().to_owned(),
        draft_digest: draft.digest().clone(),
        days: args.days,
        images: 0,
        turned: 0,
        rules: Vec::new(),
        changes: Vec::new(),
        unseen: 0,
    };
    for row in rows(&client)? {
        let recent = row.pushed_at >= since || row.judged_at.is_some_and(|judged| judged >= since);
        if !recent && pulls(&client, &row.digest, args.days)? == 0 {
            continue;
        }
        one(&client, &draft, &row, now, &mut replay)?;
    }
    replay.changes.sort_by(|a, b| {
        (b.what.turns(), b.what.after, &a.image).cmp(&(a.what.turns(), a.what.after, &b.image))
    });
    replay.rules = by_rule(&replay.changes);
    replay.turned = replay.changes.iter().filter(|one| one.what.turns()).count();
    args.written.show(&replay, console, table)?;
    Ok(Exit::Pass)
}

/// Every image with a verdict, each once.
fn rows(client: &Client) -> Result<Vec<Row>, Failure> {
    let mut all = Vec::new();
    let mut seen = HashSet::new();
    let limit = PAGE.to_string();
    for offset in (0..).step_by(PAGE) {
        let offset = offset.to_string();
        let pairs = [("limit", Some(limit.as_str())), ("offset", Some(&offset)), ("children", Some("yes"))];
        let page: Page = client.get(&query(&["images"], &pairs))?;
        let last = page.rows.len() < PAGE;
        all.extend(page.rows.into_iter().filter(|row| {
            row.judged_at.is_some() && row.decision.is_some() && seen.insert(row.digest.clone())
        }));
        if all.len() > MAX_IMAGES {
            return Err(Failure::undecided(format_args!("more than {MAX_IMAGES} images"))
                .next("replay on a part of them: a server of its own with some repositories"));
        }
        if last {
            break;
        }
    }
    Ok(all)
}

fn pulls(client: &Client, digest: &Digest, days: i64) -> Result<u64, Failure> {
    let (digest, days) = (digest.to_string(), days.to_string());
    let all: Vec<Pulls> =
        client.get(&query(&["images", &digest, "pulls"], &[("days", Some(days.as_str()))]))?;
    Ok(all.iter().flat_map(|one| &one.days).map(|day| day.number).sum())
}

fn one(
    client: &Client,
    draft: &Policy,
    row: &Row,
    now: Timestamp,
    replay: &mut Replay,
) -> Result<(), Failure> {
    let digest = row.digest.to_string();
    let mut report: Report = match client.get(&query(&["images", &digest, "report"], &[])) {
        Ok(report) => report,
        // It was deleted meanwhile, or is not judged any more.
        Err(error) if error.status() == Some(404) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let Some(before) = report.verdict.take() else { return Ok(()) };
    replay.images += 1;
    let asks = (draft.asks_for_signatures() && report.signatures.is_none())
        || (draft.asks_for_bases() && report.bases.is_none());
    replay.unseen += usize::from(asks);
    let after = decide(draft, &Facts::from(&report), now);
    if let Some(what) = Replayed::between(&before, &after) {
        let pulls = pulls(client, &row.digest, replay.days)?;
        let image = match row.tags.first() {
            Some(tag) => format!("{}:{tag}", row.repository),
            None => format!("{}@{digest}", row.repository),
        };
        replay.changes.push(Changed { image, digest: row.digest.clone(), pulls, what });
    }
    Ok(())
}

fn by_rule(changes: &[Changed]) -> Vec<ByRule> {
    let mut all: BTreeMap<&str, ByRule> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.what.turns()) {
        for rule in change.what.rules() {
            let entry =
                all.entry(rule).or_insert_with(|| ByRule { rule: rule.to_owned(), ..ByRule::default() });
            if change.what.after.passes() {
                entry.allows += 1;
            } else {
                entry.refuses += 1;
            }
        }
    }
    all.into_values().collect()
}

fn table(replay: &Replay, paint: Paint) -> String {
    let mut out = String::new();
    for change in &replay.changes {
        let _ = writeln!(
            out,
            "{} {} → {}  {}",
            paint.bold(&clean(&change.image)),
            change.what.before.word(),
            paint.decision(change.what.after, change.what.after.word()),
            paint.dim(&format!("({})", count(usize::try_from(change.pulls).unwrap_or(usize::MAX), "pull"))),
        );
        for (sign, reasons) in [("+", &change.what.added), ("-", &change.what.removed)] {
            for reason in reasons {
                let _ = writeln!(
                    out,
                    "  {sign} {} {}: {}",
                    reason.decision.word(),
                    reason.rule,
                    clean(&reason.found)
                );
            }
        }
    }
    if !replay.rules.is_empty() {
        let rows = replay
            .rules
            .iter()
            .map(|one| [one.rule.clone(), one.refuses.to_string(), one.allows.to_string()]);
        out.push('\n');
        out.push_str(&grid(&["rule", "refuses what passes now", "allows what is refused now"], rows, paint));
    }
    let _ = writeln!(
        out,
        "\n{} of the last {}: {} would change, {} at the gates",
        count(replay.images, "recorded decision"),
        count(usize::try_from(replay.days).unwrap_or(0), "day"),
        replay.changes.len(),
        replay.turned,
    );
    if replay.unseen > 0 {
        let _ = writeln!(
            out,
            "of {} the draft asks for signatures or bases that nobody looked at yet: these count as unknown here",
            count(replay.unseen, "image"),
        );
    }
    out
}
