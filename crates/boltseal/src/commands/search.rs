//! `boltseal search`: repositories, tags, digests, labels, packages and vulnerabilities by name.

use boltseal_api::search::Found;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, search as output},
    reach::{Reach, query},
};

/// What to look for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Repositories, tags and labels are found by any part of them, whatever the case; digests, packages and \
vulnerabilities by how they begin.

Examples:
  boltseal search openssl
  boltseal search 'maintainer=team-blue' --kind labels
  boltseal search log4j-core@2.14.1 --kind packages
  boltseal search CVE-2024-3094")]
pub struct Args {
    /// The text; NAME=VALUE means a label, NAME@VERSION a package
    text: String,
    /// Only repositories, tags, digests, labels, packages or vulnerabilities
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// How many of each kind
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// Looks for it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let limit = args.limit.to_string();
    let pairs =
        [("q", Some(args.text.as_str())), ("kind", args.kind.as_deref()), ("limit", Some(limit.as_str()))];
    let found: Found = client.get(&query(&["search"], &pairs))?;
    args.written.show(&found, console, output::found)?;
    Ok(Exit::Pass)
}
