//! `boltseal admit IMAGE…`

use std::path::PathBuf;

use boltseal_api::{
    access::{Login, Session},
    client::{Client, Server},
};
use boltseal_model::{Decision, Digest, Reference, Verdict};
use serde::{Deserialize, Serialize};

use super::agent;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
    reach::{Reach, path},
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
    /// Image by digest: `NAME@DIGEST`, or the digest alone
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
    decision: Decision,
    verdict: Option<Verdict>,
    error: Option<String>,
}

/// Asks.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let digest = match &args.image {
        Some(image) => pinned(image)?,
        None => of_containerd(&args.given)?,
    };
    let client = client(args, global)?;
    let judgement = match client.get::<Judgement>(&path(&["images", &digest.to_string(), "verdict"])) {
        Err(error) if error.status() == Some(404) => {
            let why = format!("it was never pushed to {}", client.address());
            Judgement { digest, decision: Decision::Unknown, verdict: None, error: Some(why) }
        }
        other => other?,
    };
    args.written.show(&judgement, console, |judgement, _| format!("{}\n", sentence(judgement)))?;
    Ok(match judgement.decision {
        Decision::Allow | Decision::Warn => Exit::Pass,
        Decision::Deny => Exit::Denied,
        Decision::Unknown => Exit::Undecided,
    })
}

fn sentence(judgement: &Judgement) -> String {
    match (&judgement.verdict, &judgement.error) {
        (Some(verdict), _) => verdict.sentence(),
        (None, Some(error)) => format!("unknown: {error}"),
        (None, None) => "unknown: it is being judged; try again in a moment".to_owned(),
    }
}

fn client(args: &Args, global: &Global) -> Result<Client, Failure> {
    let (Some(name), Some(file)) = (&args.name, &args.secret_file) else { return args.reach.client(global) };
    let server = args.reach.unproven(global)?;
    let login = Login { name: name.clone(), secret: agent::secret(file)?.to_string(), code: None };
    let session: Session = Client::new(&server)?.post("/api/v1/login", &login)?;
    Ok(Client::new(&Server { token: Some(session.access_token), ..server })?)
}

fn pinned(image: &str) -> Result<Digest, Failure> {
    if let Ok(digest) = image.parse::<Digest>() {
        return Ok(digest);
    }
    let reference: Reference =
        image.parse().map_err(|wrong| Failure::usage(format_args!("{image}: {wrong}")))?;
    reference.digest().cloned().ok_or_else(|| {
        Failure::usage(format_args!("{image} names a tag, which may become another image"))
            .next(format!("name its digest; `boltseal image inspect {image}` prints it"))
    })
}

/// `-name REFERENCE -digest DIGEST -stdin-media-type TYPE`, each once, with one dash; more of them may come one day.
fn of_containerd(given: &[String]) -> Result<Digest, Failure> {
    let mut digests = given.windows(2).filter_map(|pair| match pair {
        [flag, value] if flag == "-digest" => Some(value),
        _ => None,
    });
    match (digests.next(), digests.next()) {
        (Some(digest), None) => {
            digest.parse().map_err(|wrong| Failure::usage(format_args!("-digest {digest}: {wrong}")))
        }
        _ => Err(Failure::usage("containerd names one digest with -digest; it did not")),
    }
}
