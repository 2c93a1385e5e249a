//! `boltseal admit IMAGE…`

use std::path::PathBuf;

use boltseal_api::{
    access::{Login, Session},
    client::{Client, Server},
};
use boltseal_model::{Decision, Digest, Reference, Ruling, Verdict};
use serde::{Deserialize, Serialize};

use super::agent;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, query},
};

/// Which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
The server's stored verdict, as the push gate, the Kubernetes webhook and the Docker agent have it. Nothing is scanned, and \
nothing is asked but that server.

containerd (2.0 and later) runs a program for each image that it pulls; `boltseal engine render containerd` writes one.

Examples:
  boltseal admit registry.example.com/team/app@sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0
  boltseal admit sha256:9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0 --format json

Exit codes: 0 may run; 1 policy said no; 2 usage; 3 could not decide, also: nobody judged it; 4 internal fault")]
pub struct Args {
    /// Image by digest: `NAME@DIGEST`, or the digest alone. What people decided about it in one repository counts where NAME is
    /// that repository
    #[arg(value_name = "IMAGE", required_unless_present = "containerd")]
    image: Option<String>,
    /// The arguments after `--` are those that containerd gives its image verifiers
    #[arg(long, requires = "given", conflicts_with = "image")]
    containerd: bool,
    /// What containerd gave
    #[arg(last = true, hide = true, value_name = "ARGUMENT")]
    given: Vec<String>,
    /// Service principal that asks [default: as at the login]
    #[arg(long, value_name = "NAME", requires = "secret_file")]
    name: Option<String>,
    /// File with its secret, readable by nobody else
    #[arg(long, value_name = "FILE", requires = "name")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    reach: Reach,
}

/// `GET /api/v1/images/{digest}/verdict`
#[derive(Serialize, Deserialize)]
struct Judgement {
    digest: Digest,
    #[serde(flatten)]
    ruling: Ruling,
    verdict: Option<Verdict>,
    error: Option<String>,
}

/// What is asked about.
struct Asked {
    digest: Digest,
    /// As engines know it: registry and repository.
    name: Option<String>,
}

/// Asks.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let Asked { digest, name } = match &args.image {
        Some(image) => pinned(image)?,
        None => of_containerd(&args.given)?,
    };
    let client = client(args, global)?;
    let path = query(&["images", &digest.to_string(), "verdict"], &[("name", name.as_deref())]);
    let judgement: Judgement = client.get(&path)?;
    args.written.show(&judgement, console, |judgement, _| format!("{}\n", judgement.ruling.why))?;
    Ok(match judgement.ruling.decision {
        Decision::Allow | Decision::Warn => Exit::Pass,
        Decision::Deny => Exit::Denied,
        Decision::Unknown => Exit::Undecided,
    })
}

fn client(args: &Args, global: &Global) -> Result<Client, Failure> {
    let (Some(name), Some(file)) = (&args.name, &args.secret_file) else { return args.reach.client(global) };
    let server = args.reach.unproven(global)?;
    let login = Login { name: name.clone(), secret: agent::secret(file)?.to_string(), code: None };
    let session: Session = Client::new(&server)?.post("/api/v1/login", &login)?;
    Ok(Client::new(&Server { token: Some(session.access_token), ..server })?)
}

fn pinned(image: &str) -> Result<Asked, Failure> {
    if let Ok(digest) = image.parse::<Digest>() {
        return Ok(Asked { digest, name: None });
    }
    let reference: Reference =
        image.parse().map_err(|wrong| Failure::usage(format_args!("{image}: {wrong}")))?;
    let digest = reference.digest().cloned().ok_or_else(|| {
        Failure::usage(format_args!("{image} names a tag, which may become another image"))
            .next(format!("name its digest; `boltseal image inspect {image}` prints it"))
    })?;
    Ok(Asked { digest, name: Some(reference.name()) })
}

/// `-name REFERENCE -digest DIGEST -stdin-media-type TYPE`, each once, with one dash; more of them may come one day.
fn of_containerd(given: &[String]) -> Result<Asked, Failure> {
    let text = one(given, "-digest")?;
    let digest = text.parse().map_err(|wrong| Failure::usage(format_args!("-digest {text}: {wrong}")))?;
    let text = one(given, "-name")?;
    let name: Reference =
        text.parse().map_err(|wrong| Failure::usage(format_args!("-name {text}: {wrong}")))?;
    Ok(Asked { digest, name: Some(name.name()) })
}

fn one<'a>(given: &'a [String], flag: &str) -> Result<&'a String, Failure> {
    let mut values = given.windows(2).filter_map(|pair| match pair {
        [name, value] if name == flag => Some(value),
        _ => None,
    });
    match (values.next(), values.next()) {
        (Some(value), None) => Ok(value),
        _ => Err(Failure::usage(format_args!("containerd gives one {flag}; it did not"))),
    }
}
