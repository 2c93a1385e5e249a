//! `boltseal verify IMAGE`

mod believed;
mod rows;
mod table;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use boltseal_flow::signatures::{Checked, signatures};
use boltseal_model::Digest;
use boltseal_trust::{Authority, Evidence, Form, MAX_EVIDENCE, predicate::Wanted, verify};
use serde::Serialize;

use self::{
    believed::Believed,
    rows::{Asked, Row},
};
use super::image::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::Written,
    signing::{Subject, repository_of},
};

/// Which image, and who is believed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signatures and attestations are looked for beside the image in its registry. Those of the digest that IMAGE names count: of \
a multi-platform image, the index.

With --trusted-root a signature must be proven to be in the log of that sigstore instance. A key alone needs no log.

Examples:
  boltseal verify registry.example.com/team/app:v1 --key cosign.pub
  boltseal verify sha256:4bcff63911fc… --key cosign.pub --bundle app.sigstore.json
  boltseal verify registry.example.com/team/app:v1 --trusted-root trusted_root.json \\
    --certificate-identity-regexp 'https://github\\.com/team/app/.*' \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com
  boltseal verify registry.example.com/team/app:v1 --key ci.pub --type slsaprovenance \\
    --builder https://ci.example.com/runner --source https://git.example.com/team/app
  boltseal verify registry.example.com/team/app:v1 --key ci.pub --clocks clocks.pem
  boltseal verify registry.example.com/team/app:v1 --policy policy.yaml
  boltseal verify registry.example.com/team/app:v1 --notary ~/.config/notation

Exit codes: 0 signed by somebody who is believed; 1 not signed by any of them; 2 usage; 3 not found, not logged in, or \
the registry cannot be reached; 4 internal fault")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    #[command(flatten)]
    believed: Believed,
    /// Want a signed statement of this type instead of a signature: a URI, or cosign's name for one, such as
    /// `slsaprovenance1`; `slsaprovenance` is provenance of any version
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Want provenance that says this builder
    #[arg(long, value_name = "URI", requires = "kind")]
    builder: Option<String>,
    /// Want provenance that says this source, such as `https://github.com/team/app` or `…@refs/heads/main`
    #[arg(long, value_name = "URI", requires = "kind")]
    source: Option<String>,
    /// Want provenance of this type of build
    #[arg(long, value_name = "URI", requires = "kind")]
    build_type: Option<String>,
    /// Verify the bundle, or the envelope of Notary Project, in this file as well; may be given more than once. No registry is asked about a digest then
    #[arg(long, value_name = "FILE")]
    bundle: Vec<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
}

/// What was found.
#[derive(Serialize)]
struct Verified {
    reference: String,
    digest: Digest,
    /// The type of the statement that is asked for; nothing where a signature is.
    wanted: Option<String>,
    /// Whether something counts.
    signed: bool,
    evidence: Vec<Row>,
}

impl Verified {
    fn wanted(&self) -> &'static str {
        if self.wanted.is_some() { "statement" } else { "signature" }
    }
}

/// Verifies.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let offline = !args.bundle.is_empty();
    let authorities = args.believed.authorities(repository_of(&args.image)?.as_deref())?;
    let subject = Subject::find(&args.image, offline, &args.connection, global)?;
    let digest = subject.digest.clone();
    let mut checked = Vec::new();
    for path in &args.bundle {
        checked.push(in_file(path, &digest, &authorities)?);
    }
    if let Some(repository) = subject.repository() {
        checked.extend(signatures(repository, &digest, &authorities)?);
    }
    let asked = Asked { kind: args.kind.clone(), wanted: wanted(args) };
    let evidence: Vec<Row> = checked.into_iter().map(|one| Row::of(one, &asked)).collect();
    let signed = evidence.iter().any(|row| row.counts);
    let verified = Verified { reference: subject.told(), digest, wanted: asked.type_of(), signed, evidence };
    args.written.show(&verified, console, table::people)?;
    if signed {
        return Ok(Exit::Pass);
    }
    let kind = verified.wanted.as_ref();
    let what = kind.map_or_else(|| "signature".to_owned(), |kind| format!("statement of type {kind}"));
    let next = if verified.evidence.is_empty() {
        "sign it with `boltseal sign`"
    } else {
        "see above why nothing that is attached counts"
    };
    let failure = format!("{}: no {what} by anybody who is believed", verified.reference);
    Err(Failure::denied(failure).next(next))
}

fn wanted(args: &Args) -> Wanted {
    Wanted { builder: args.builder.clone(), source: args.source.clone(), build_type: args.build_type.clone() }
}

/// What the signature in a file is worth.
fn in_file(path: &Path, image: &Digest, authorities: &[Authority]) -> Result<Checked, Failure> {
    let bytes = given::bounded_bytes(path, MAX_EVIDENCE)?;
    let evidence = Evidence { form: Form::of_bytes(&bytes), bytes: &bytes, annotations: &BTreeMap::new() };
    let outcome = verify(&evidence, image, authorities);
    let place = format!("file {}", path.display());
    Ok(Checked { digest: Digest::of(&bytes), place, outcome })
}
