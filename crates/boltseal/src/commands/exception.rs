//! `boltseal exception list|approve|revoke`: of a server's policy as whoever is logged in, or of a policy file with a key.

use std::path::PathBuf;

use boltseal_api::exceptions::{Approve, Exception};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, exceptions as output},
    reach::{Reach, path},
};

mod file;

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A policy with `approvals: N` counts an exception only when N people approved exactly what it says: people who are logged in to the \
server and hold the role Exception Approver, or, without a server, holders of keys that the policy names as `approvers`. Nobody \
approves what they own.

Exit codes: 0 done; 1 the server does not allow it; 2 usage, or it cannot be approved; 3 not logged in, or the server cannot be \
reached; 4 internal fault")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    reach: Reach,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List exceptions, and who approved them
    List(List),
    /// Approve an exception as it is now
    Approve(ApproveArgs),
    /// Take an approval back
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct List {
    /// Of this policy file, with the signed approvals beside it, instead of a server's
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal exception approve openssl-until-release-7
  boltseal exception approve openssl-until-release-7 --policy policy.yaml --key bob.key")]
struct ApproveArgs {
    /// The exception
    name: String,
    /// Only if it says what has this digest (as `list --format json` prints it)
    #[arg(long, value_name = "DIGEST")]
    digest: Option<String>,
    /// Of this policy file: the signed approval is added to `FILE.approvals.jsonl`
    #[arg(long, value_name = "FILE", requires = "key")]
    policy: Option<PathBuf>,
    /// Private key in PEM of somebody whom the policy names as an approver
    #[arg(long, value_name = "FILE", requires = "policy")]
    key: Option<PathBuf>,
    /// File whose first line is the password of the key [default: `COSIGN_PASSWORD`, or asks]
    #[arg(long, value_name = "FILE", requires = "key")]
    password_file: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    /// The exception
    name: String,
    /// Whose approval [default: one's own; of a policy file, everybody's]
    #[arg(long, value_name = "NAME")]
    of: Option<String>,
    /// Of this policy file
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let named = |all: Vec<Exception>, name: &str| {
        let names: Vec<String> = all.iter().map(|one| one.name.clone()).collect();
        all.into_iter().find(|one| one.name == name).ok_or_else(|| {
            let known = if names.is_empty() { "there are none".to_owned() } else { names.join(", ") };
            Failure::usage(format_args!("the policy has no exception `{name}`"))
                .next(format!("exceptions: {known}"))
        })
    };
    let listed = path(&["policy", "exceptions"]);
    match &args.verb {
        Verb::List(List { policy: Some(policy), written }) => file::list(policy, *written, console)?,
        Verb::List(List { policy: None, written }) => {
            let all: Vec<Exception> = args.reach.client(global)?.get(&listed)?;
            written.show(&all, console, |all, paint| output::exceptions(all, paint))?;
        }
        Verb::Approve(asked) => {
            if let (Some(policy), Some(key)) = (&asked.policy, &asked.key) {
                return file::approve(
                    &asked.name,
                    asked.digest.as_deref(),
                    policy,
                    key,
                    asked.password_file.as_deref(),
                    console,
                );
            }
            let client = args.reach.client(global)?;
            let one = named(client.get(&listed)?, &asked.name)?;
            let body = Approve { digest: asked.digest.clone().unwrap_or(one.digest) };
            let now: Exception =
                client.post(&path(&["policy", "exceptions", &asked.name, "approvals"]), &body)?;
            console.data(&output::told(&now))?;
        }
        Verb::Revoke(Revoke { name, of, policy: Some(policy) }) => {
            file::revoke(name, of.as_deref(), policy, console)?;
        }
        Verb::Revoke(Revoke { name, of, policy: None }) => {
            let client = args.reach.client(global)?;
            let who = match of {
                Some(of) => of.clone(),
                None => client.get::<boltseal_api::access::WhoAmI>(&path(&["whoami"]))?.name,
            };
            client.delete(&path(&["policy", "exceptions", name, "approvals", &who]))?;
        }
    }
    Ok(Exit::Pass)
}
