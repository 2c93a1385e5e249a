//! `boltseal notify …`: rules about who is told of what becomes newly vulnerable.

mod add;

use std::{
    thread,
    time::{Duration, Instant},
};

use boltseal_api::{
    client::Client,
    notifications::{Made, RuleStatus},
    webhooks::{Delivery, Sent},
};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, notifications as output, webhooks},
    reach::{Reach, path, query},
};

/// How long the outcome of a test is waited for: longer than the deadlines of one attempt.
const PATIENCE: Duration = Duration::from_secs(45);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(300);

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
    /// Add a rule, or change the one of that name
    Add(Box<add::Add>),
    /// List all rules, and how they do
    Ls(Written),
    /// Remove a rule, and what waits to be sent by it
    Rm(Name),
    /// Send a sample, and wait for what comes of it: exit code 0 or 3
    Test(Name),
    /// Show messages, newest first: sent, waiting and given up
    Deliveries(Deliveries),
    /// Send a message again
    Redeliver(Redeliver),
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the rule
    name: String,
}

#[derive(Debug, clap::Args)]
struct Deliveries {
    /// Name of the rule
    name: String,
    /// Only those that are waiting, delivered or dead
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// How many
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Redeliver {
    /// Name of the rule
    name: String,
    /// Id of the message
    id: String,
}

/// Does it.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    match &args.verb {
        Verb::Add(add) => {
            let made: Made = client.post(&path(&["notifications"]), &add.rule()?)?;
            if let Some(secret) = made.secret {
                console.data(&format!("secret:  {}\n", secret.as_str()))?;
            }
        }
        Verb::Ls(written) => {
            let all: Vec<RuleStatus> = client.get(&path(&["notifications"]))?;
            written.show(&all, console, |all, paint| output::rules(all, paint))?;
        }
        Verb::Rm(Name { name }) => client.delete(&path(&["notifications", name]))?,
        Verb::Test(Name { name }) => return test(&client, name, console),
        Verb::Deliveries(wanted) => {
            let limit = wanted.limit.to_string();
            let pairs = [("state", wanted.state.as_deref()), ("limit", Some(limit.as_str()))];
            let place = ["notifications", &wanted.name, "deliveries"];
            let all: Vec<Delivery> = client.get(&query(&place, &pairs))?;
            wanted.written.show(&all, console, |all, paint| webhooks::deliveries(all, paint))?;
        }
        Verb::Redeliver(Redeliver { name, id }) => {
            let place = ["notifications", name, "deliveries", id, "redeliver"];
            let _: Sent = client.post(&path(&place), &())?;
        }
    }
    Ok(Exit::Pass)
}

/// Sends a sample and says what came of the first attempt.
fn test(client: &Client, name: &str, console: &Console) -> Result<Exit, Failure> {
    let sent: Sent = client.post(&path(&["notifications", name, "test"]), &())?;
    let until = Instant::now() + PATIENCE;
    let place = query(&["notifications", name, "deliveries"], &[("limit", Some("50"))]);
    while Instant::now() < until {
        let all: Vec<Delivery> = client.get(&place)?;
        let tried = all.into_iter().find(|one| one.id == sent.id && one.attempts > 0);
        match tried {
            Some(Delivery { error: Some(error), .. }) => {
                return Err(Failure::undecided(format_args!(
                    "the sample of `{name}` did not arrive: {error}"
                ))
                .next("change the rule with `boltseal notify add`, then test it again"));
            }
            Some(_) => {
                console.data("delivered\n")?;
                return Ok(Exit::Pass);
            }
            None => thread::sleep(LOOK),
        }
    }
    Err(Failure::undecided(format_args!("the sample of `{name}` is still waiting to be sent"))
        .next(format!("look again with `boltseal notify deliveries {name}`")))
}
