//! `boltseal webhook gap`: what was admitted while nobody answered, and would be refused now.
//!
//! A list of an API server is asked about object by object, with the same question that the API server would have asked, so
//! that the answers are those of the webhook.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use boltseal_model::Timestamp;
use boltseal_orchestrator::admission::Asked;
use serde::Serialize;
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    moment,
    output::{
        Written,
        paint::{Paint, clean, count, wrap},
    },
    reach::Reach,
};

/// A list of ten thousand pods has about a hundred megabytes.
const MAX_LIST: u64 = 512 << 20;
/// Where the question is asked.
const VALIDATE: &str = "/admission/validate";

/// What to ask about.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  kubectl get pods,deployments,statefulsets,daemonsets,jobs,cronjobs -A -o json | boltseal webhook gap --since 6h
  boltseal webhook gap list.json --except kube-system --format json

Exit codes: 0 nothing would be refused; 1 something would be; 2 usage; 3 could not be told")]
pub struct Args {
    #[command(flatten)]
    reach: Reach,
    /// A list as `kubectl get -o json` prints it; `-` is standard input
    #[arg(default_value = "-", value_name = "FILE")]
    list: PathBuf,
    /// Only what was made at this moment or later: 2026-03-01T12:00:00Z, 6h, 2d
    #[arg(long, value_name = "MOMENT", value_parser = moment::past)]
    since: Option<Timestamp>,
    /// A namespace to leave out; may be given again
    #[arg(long, value_name = "NAMESPACE", default_value = "kube-system")]
    except: Vec<String>,
    #[command(flatten)]
    written: Written,
}

/// What would be refused.
#[derive(Debug, Serialize)]
struct Gap {
    /// How many objects were asked about.
    asked: usize,
    /// Those that would be refused.
    refused: Vec<Refused>,
}

#[derive(Debug, Serialize)]
struct Refused {
    kind: String,
    namespace: String,
    name: String,
    created: Option<Timestamp>,
    message: String,
}

/// Asks about each, and lists what would be refused.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let list = read(&args.list)?;
    let items = match list.get("items") {
        Some(Value::Array(items)) => items.as_slice(),
        _ => std::slice::from_ref(&list),
    };
    let client = args.reach.client(global)?;
    let mut gap = Gap { asked: 0, refused: Vec::new() };
    for item in items {
        let Some(asked) = Asked::about(item) else { continue };
        let created: Option<Timestamp> = asked.created.as_deref().and_then(|text| text.parse().ok());
        let old = matches!((created, args.since), (Some(created), Some(since)) if created < since);
        if old || args.except.contains(&asked.namespace) {
            continue;
        }
        gap.asked += 1;
        let answer: Value = client.post(VALIDATE, &asked.review)?;
        let response = answer.get("response").unwrap_or(&Value::Null);
        if response.get("allowed") != Some(&Value::Bool(true)) {
            let message = response.pointer("/status/message").and_then(Value::as_str);
            let message = message.unwrap_or("the server gave no reason").to_owned();
            let Asked { kind, namespace, name, .. } = asked;
            gap.refused.push(Refused { kind, namespace, name, created, message });
        }
    }
    args.written.show(&gap, console, people)?;
    Ok(if gap.refused.is_empty() { Exit::Pass } else { Exit::Denied })
}

fn read(path: &Path) -> Result<Value, Failure> {
    let name = if path == Path::new("-") { "standard input".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let unreadable = |wrong: io::Error| Failure::usage(format_args!("cannot read {name}: {wrong}"));
    if path == Path::new("-") {
        io::stdin().lock().take(MAX_LIST).read_to_end(&mut bytes).map_err(unreadable)?;
    } else {
        File::open(path).map_err(unreadable)?.take(MAX_LIST).read_to_end(&mut bytes).map_err(unreadable)?;
    }
    serde_json::from_slice(&bytes).map_err(|wrong| {
        Failure::usage(format_args!("{name} is no list: {wrong}")).next("kubectl get pods -A -o json")
    })
}

fn people(gap: &Gap, paint: Paint) -> String {
    let mut out = String::new();
    for one in &gap.refused {
        let title = format!("{} {}/{}", clean(&one.kind), clean(&one.namespace), clean(&one.name));
        let created =
            one.created.map(|at| at.strftime(" made %Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
        let _ = writeln!(out, "{}{}", paint.bold(&title), paint.dim(&created));
        let _ = writeln!(out, "  {}", wrap(&one.message, paint.width, 2));
    }
    let _ = writeln!(
        out,
        "{} would be refused, of {} asked about",
        count(gap.refused.len(), "object"),
        gap.asked
    );
    out
}
