//! `boltseal image import SOURCE DESTINATION`: a copy that the server makes.

use std::path::PathBuf;

use boltseal_api::upstreams::{NewImport, Transfer};
use zeroize::Zeroizing;

use crate::{
    cli::Global,
    commands::registry::transfer::follow,
    console::Console,
    exit::{Exit, Failure},
    given,
    reach::{Reach, path},
    target::password,
};

/// What to copy, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The server fetches the image from the other registry, so its bytes do not pass this machine, and judges it like \
anything pushed. The tag is that of the source unless another one is given.

Examples:
  boltseal image import docker.io/library/debian:12 base/debian
  boltseal image import ghcr.io/team/app@sha256:… app:v1 --referrers \\
    --source-username robot < password.txt")]
pub struct Args {
    /// Image in another registry
    #[arg(value_name = "SOURCE")]
    source: String,
    /// Repository on the server, and tag if any
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// Only this platform of an index, such as linux/arm64. May be given several times
    #[arg(long = "platform", value_name = "PLATFORM")]
    platforms: Vec<String>,
    /// Also signatures, SBOMs and whatever else refers to it
    #[arg(long)]
    referrers: bool,
    /// Name to sign in to the other registry with; the password comes on standard input
    #[arg(long, value_name = "NAME")]
    source_username: Option<String>,
    /// Let the other registry speak HTTP without TLS
    #[arg(long)]
    source_plain_http: bool,
    /// PEM file of the authority that vouches for the other registry
    #[arg(long, value_name = "FILE")]
    source_authority: Option<PathBuf>,
    /// Do not wait until it is done
    #[arg(long)]
    detach: bool,
    #[command(flatten)]
    reach: Reach,
}

/// Has it copied.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let client = args.reach.client(global)?;
    let import = NewImport {
        source: args.source.strip_prefix("docker://").unwrap_or(&args.source).to_owned(),
        destination: args.destination.clone(),
        platforms: args.platforms.clone(),
        referrers: args.referrers,
        username: args.source_username.clone(),
        password: args.source_username.as_ref().map(|_| password().map(Zeroizing::new)).transpose()?,
        plain_http: args.source_plain_http,
        ca: args.source_authority.as_deref().map(given::text).transpose()?,
    };
    let begun: Transfer = client.post(&path(&["imports"]), &import)?;
    if args.detach {
        console.data(&format!("{}\n", begun.id))?;
        return Ok(Exit::Pass);
    }
    let what = format!("import of {}", args.source);
    follow(console, &what, || Ok(client.get(&path(&["imports", &begun.id]))?))
}
