//! `boltseal credentials`: credentials that lie in images of a server.

use boltseal_api::credentials::{Credential, Credentials, Located};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, credentials as output},
    reach::{Reach, path, query},
};

/// Parts of the list that are asked for at most: half a million credentials.
const MAX_PARTS: usize = 1_000;
/// Of one part.
const PART: &str = "500";

/// Which of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each credential is listed once, in however many images it lies. The server does not keep values: it recognises them by a \
keyed hash, the fingerprint. Files of all layers count, also those that a later layer deleted. What lies in no image any \
more stays in the list, since whoever pulled it before still has it.

Examples:
  boltseal credentials
  boltseal credentials --kind github-personal-access-token --format json
  boltseal credentials 4c1f0a9be27d5f3361e2a7c09d8b4f12   # where it lies
  boltseal credentials --confidence high --gone=false")]
pub struct Args {
    /// Say where this one lies: its fingerprint
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: Option<String>,
    /// Only with this text in title or rule, or at the beginning of the fingerprint
    #[arg(long, value_name = "TEXT", conflicts_with = "fingerprint")]
    find: Option<String>,
    /// Only what this rule found
    #[arg(long, value_name = "RULE", conflicts_with = "fingerprint")]
    kind: Option<String>,
    /// At least this sure
    #[arg(long, value_name = "CONFIDENCE", default_value = "medium", value_parser = ["low", "medium", "high", "verified"])]
    confidence: String,
    /// Only what is in no image any more; `=false`: only what still is
    #[arg(long, num_args = 0..=1, require_equals = true, default_missing_value = "true", conflicts_with = "fingerprint")]
    gone: Option<bool>,
    /// Also what belongs to published packages wherever it lies: that was public before
    #[arg(long, conflicts_with = "fingerprint")]
    published: bool,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Lists.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    if let Some(fingerprint) = &args.fingerprint {
        let found: Located = client.get(&path(&["credentials", fingerprint]))?;
        args.written.show(&found, console, output::located)?;
        return Ok(Exit::Pass);
    }
    let gone = args.gone.map(|gone| gone.to_string());
    let (mut all, mut after): (Vec<Credential>, Option<String>) = (Vec::new(), None);
    let mut unrecognised = 0;
    for _ in 0..MAX_PARTS {
        let pairs = [
            ("q", args.find.as_deref()),
            ("kind", args.kind.as_deref()),
            ("confidence", Some(args.confidence.as_str())),
            ("published", args.published.then_some("yes")),
            ("gone", gone.as_deref()),
            ("limit", Some(PART)),
            ("after", after.as_deref()),
        ];
        let part: Credentials = client.get(&query(&["credentials"], &pairs))?;
        all.extend(part.credentials);
        unrecognised = part.unrecognised;
        after = part.next;
        if after.is_none() {
            break;
        }
    }
    if unrecognised > 0 {
        console.warning(format_args!(
            "what lies in {unrecognised} images is not listed yet: an older version looked at them. The server looks again; push again what stays"
        ));
    }
    args.written.show(&all, console, |all, paint| output::credentials(all, paint))?;
    Ok(Exit::Pass)
}
