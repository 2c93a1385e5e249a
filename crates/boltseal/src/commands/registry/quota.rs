//! `boltseal registry quota …`: how much may be stored where.

use boltseal_api::life::Quota;
use serde_json::Value;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, life as output},
    reach::{Reach, path, query},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Set the limits of a scope
    Set(Set),
    /// List all quotas, and what is used of them
    Ls(Written),
    /// Remove the limits of a scope
    Rm(Scope),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Bytes count once in a scope, however many images need them, and with what is in the trash. What is there already \
stays; nothing more comes.

Examples:
  boltseal registry quota set 'team/*' --bytes 10GB --tags 500
  boltseal registry quota set '*' --repositories 1000")]
struct Set {
    #[command(flatten)]
    scope: Scope,
    /// Most bytes, such as 500MB, 10GB or 2TB
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    bytes: Option<u64>,
    /// Most repositories
    #[arg(long, value_name = "NUMBER")]
    repositories: Option<u64>,
    /// Most tags
    #[arg(long, value_name = "NUMBER")]
    tags: Option<u64>,
}

#[derive(Debug, clap::Args)]
struct Scope {
    /// `team/app`, `team/*` for everything below `team/`, or `*` for the registry
    scope: String,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    match &args.verb {
        Verb::Set(set) => {
            let asked = Quota {
                scope: set.scope.scope.clone(),
                bytes: set.bytes,
                repositories: set.repositories,
                tags: set.tags,
                used: None,
                by: String::new(),
                at: None,
            };
            let _: Value = client.post(&path(&["quotas"]), &asked)?;
        }
        Verb::Ls(written) => {
            let all: Vec<Quota> = client.get(&path(&["quotas"]))?;
            written.show(&all, console, |all, paint| output::quotas(all, paint))?;
        }
        Verb::Rm(Scope { scope }) => client.delete(&query(&["quotas"], &[("scope", Some(scope))]))?,
    }
    Ok(Exit::Pass)
}

/// `500MB`: powers of 1000, as disks are sold.
fn bytes(text: &str) -> Result<u64, String> {
    let wrong = || "expected a size such as 500MB, 10GB or 2TB".to_owned();
    let unit = text.find(|sign: char| sign.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(unit).ok_or_else(wrong)?;
    let many: u64 = match unit {
        "" | "B" => 1,
        "kB" | "KB" | "k" | "K" => 1_000,
        "MB" | "M" => 1_000_000,
        "GB" | "G" => 1_000_000_000,
        "TB" | "T" => 1_000_000_000_000,
        _ => return Err(wrong()),
    };
    let number: u64 = number.trim().parse().map_err(|_| wrong())?;
    number.checked_mul(many).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("10GB", Some(10_000_000_000)),
            ("500M", Some(500_000_000)),
            ("7", Some(7)),
            ("2TB", Some(2_000_000_000_000)),
            ("GB", None),
            ("10 XB", None),
            ("-1GB", None),
            ("99999999999TB", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }
}
