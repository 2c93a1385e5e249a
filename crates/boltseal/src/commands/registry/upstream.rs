//! `boltseal registry upstream …`: repositories that are a cache of another registry.

use boltseal_api::upstreams::{NewUpstream, Rewrite, Upstream, UpstreamStatus};

use super::there::{There, seconds};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, upstreams as output},
    reach::{Reach, path},
};

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Add a cache of another registry, or change the one of that name
    Add(Box<Add>),
    /// List all upstreams
    Ls(Written),
    /// Show an upstream
    Show(Show),
    /// Remove an upstream; images that came from it stay
    Rm(Name),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Whoever pulls PREFIX/NAME from here pulls HOST/NAME from there: what is not here is fetched, scanned and judged \
before its first byte is served. What is here is served also while the other registry cannot be reached. \
Nobody pushes below the prefix. Passwords are kept sealed and never shown.

Examples:
  boltseal registry upstream add hub --host docker.io
  boltseal registry upstream add ghcr --host ghcr.io \\
    --prefix github --allow 'our-team/*' --ttl 1h
  boltseal registry upstream add private \\
    --host registry.example.com:5000 --username robot < password.txt")]
struct Add {
    /// Name of the upstream: lower-case letters, digits and `-`
    name: String,
    /// Host of the other registry, and port if any
    #[arg(long)]
    host: String,
    /// What repository names here begin with [default: the name]
    #[arg(long, value_name = "NAME")]
    prefix: Option<String>,
    /// What to put before the rest of the name there, such as `library`
    #[arg(long, value_name = "NAME", default_value = "")]
    path: String,
    /// Replace the beginning of the rest of a name. May be given several times; the first that matches counts
    #[arg(long, value_name = "OLD=NEW", value_parser = rewrite)]
    rewrite: Vec<Rewrite>,
    /// Fetch only repositories there that match; * stands for any text. May be given several times
    #[arg(long, value_name = "PATTERN")]
    allow: Vec<String>,
    /// Never fetch repositories there that match. May be given several times
    #[arg(long, value_name = "PATTERN")]
    deny: Vec<String>,
    /// How long a tag is served before it is compared with the other registry again
    #[arg(long, value_name = "TIME", value_parser = seconds, default_value = "10m")]
    ttl: u64,
    /// Serve what is here, and do not ask the other registry
    #[arg(long)]
    disabled: bool,
    #[command(flatten)]
    there: There,
}

#[derive(Debug, clap::Args)]
struct Show {
    /// Name of the upstream
    name: String,
    #[command(flatten)]
    written: Written,
}

#[derive(Debug, clap::Args)]
struct Name {
    /// Name of the upstream
    name: String,
}

/// Does it.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = reach.client(global)?;
    match &args.verb {
        Verb::Add(add) => {
            let made: Upstream = client.post(&path(&["upstreams"]), &upstream(add)?)?;
            let place = made.prefix;
            console.note(format_args!("{place}/… is a cache of {} now", made.host));
        }
        Verb::Ls(written) => {
            let all: Vec<UpstreamStatus> = client.get(&path(&["upstreams"]))?;
            written.show(&all, console, |all, paint| output::upstreams(all, paint))?;
        }
        Verb::Show(Show { name, written }) => {
            let one: UpstreamStatus = client.get(&path(&["upstreams", name]))?;
            written.show(&one, console, output::upstream)?;
        }
        Verb::Rm(Name { name }) => client.delete(&path(&["upstreams", name]))?,
    }
    Ok(Exit::Pass)
}

fn upstream(add: &Add) -> Result<NewUpstream, Failure> {
    let upstream = Upstream {
        name: add.name.clone(),
        prefix: add.prefix.clone().unwrap_or_else(|| add.name.clone()),
        host: add.host.clone(),
        path: add.path.clone(),
        rewrite: add.rewrite.clone(),
        allow: add.allow.clone(),
        deny: add.deny.clone(),
        username: add.there.username.clone(),
        ttl: add.ttl,
        plain_http: add.there.plain_http,
        ca: add.there.authority()?,
        enabled: !add.disabled,
    };
    Ok(NewUpstream { upstream, password: add.there.password()? })
}

fn rewrite(text: &str) -> Result<Rewrite, String> {
    let (from, to) = text.split_once('=').ok_or_else(|| "expected OLD=NEW".to_owned())?;
    Ok(Rewrite { from: from.to_owned(), to: to.to_owned() })
}
