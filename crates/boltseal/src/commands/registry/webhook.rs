//! `boltseal registry webhook …`: other systems that are told of what happens to images.

use std::path::PathBuf;

use boltseal_api::webhooks::{Delivery, Made, NewWebhook, Sent, Webhook};

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{Written, webhooks as output},
    reach::{Reach, path, query},
    terminal::Lines,
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a webhook, or change the one of that name; prints its new secret, if one was made
    Add(Box<Add>),
    /// List all webhooks
    Ls(Written),
    /// Remove a webhook
    Rm(Name),
    /// Send a test event
    Ping(Name),
    /// Show deliveries, newest first: sent, waiting and given up
    Deliveries(Deliveries),
    /// Send an event again
    Redeliver(Redeliver),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Events: push, quarantine, delete, verdict, import, mirror, quota. An event is CloudEvents 1.0 in JSON, signed as \
Standard Webhooks has it: webhook-signature is v1, and the base64 of HMAC-SHA256, with the secret's bytes, over \
webhook-id.webhook-timestamp.body. What does not arrive is sent again for a day.

Examples:
  boltseal registry webhook add ci https://ci.example.com/hooks/images \\
    --event push --repositories 'team/*'
  boltseal registry webhook add local http://10.0.0.7:8080/ \\
    --allow-private --secret-stdin < secret.txt")]
struct Add {
    /// Name of the webhook: lower-case letters, digits and `-`
    name: String,
    /// Address that events are sent to
    url: String,
    /// Only these events. May be given several times [default: all]
    #[arg(long = "event", value_name = "EVENT")]
    events: Vec<String>,
    /// Only events about repositories that match; * stands for any text
    #[arg(long, value_name = "PATTERN", default_value = "*")]
    repositories: String,
    /// Allow a private address, and HTTP without TLS
    #[arg(long)]
    allow_private: bool,
    /// Read the secret from standard input: whsec_ and 24 to 64 bytes in base64
    #[arg(long)]
    secret_stdin: bool,
    /// PEM file of the authority that vouches for the address, if the system does not know it
    #[arg(long, value_name = "FILE")]
    authority: Option<PathBuf>,
    /// Send nothing for now
    #[arg(long)]
    disabled: bool,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the webhook
    name: String,
}

#[derive(Debug, clap::Args)]
struct Deliveries {
    /// Name of the webhook
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
    /// Name of the webhook
    name: String,
    /// Id of the event
    id: String,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    match &args.verb {
        Verb::Add(add) => {
            let made: Made = client.post(&path(&["webhooks"]), &new(add)?)?;
            if let Some(secret) = made.secret {
                console.data(&format!("secret:  {}\n", secret.as_str()))?;
            }
        }
        Verb::Ls(written) => {
            let all: Vec<Webhook> = client.get(&path(&["webhooks"]))?;
            written.show(&all, console, |all, paint| output::webhooks(all, paint))?;
        }
        Verb::Rm(Name { name }) => client.delete(&path(&["webhooks", name]))?,
        Verb::Ping(Name { name }) => {
            let sent: Sent = client.post(&path(&["webhooks", name, "ping"]), &())?;
            console.data(&format!("{}\n", sent.id))?;
        }
        Verb::Deliveries(wanted) => {
            let limit = wanted.limit.to_string();
            let pairs = [("state", wanted.state.as_deref()), ("limit", Some(limit.as_str()))];
            let all: Vec<Delivery> = client.get(&query(&["webhooks", &wanted.name, "deliveries"], &pairs))?;
            wanted.written.show(&all, console, |all, paint| output::deliveries(all, paint))?;
        }
        Verb::Redeliver(Redeliver { name, id }) => {
            let place = ["webhooks", name, "deliveries", id, "redeliver"];
            let _: Sent = client.post(&path(&place), &())?;
        }
    }
    Ok(Exit::Pass)
}

fn new(add: &Add) -> Result<NewWebhook, Failure> {
    let secret = add.secret_stdin.then(|| Lines::new().need("secret")).transpose()?;
    Ok(NewWebhook {
        webhook: Webhook {
            name: add.name.clone(),
            url: add.url.clone(),
            events: add.events.clone(),
            repositories: add.repositories.clone(),
            allow_private: add.allow_private,
            ca: add.authority.as_deref().map(given::text).transpose()?,
            disabled: add.disabled,
        },
        secret: secret.map(|text| text.to_string().into()),
    })
}
