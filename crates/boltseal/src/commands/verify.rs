//! `boltseal verify IMAGE`

mod table;

use std::{fs, path::PathBuf, sync::Arc};

use boltseal_flow::signatures::{Checked, signatures};
use boltseal_image::remote::Name;
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{Authority, Pattern, Root, Signer, Who};
use serde::Serialize;

use super::image::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::Written,
};

/// Names that cosign gives to kinds of statements.
const KINDS: [(&str, &str); 7] = [
    ("slsaprovenance", "https://slsa.dev/provenance/v0.2"),
    ("slsaprovenance1", "https://slsa.dev/provenance/v1"),
    ("spdxjson", "https://spdx.dev/Document"),
    ("cyclonedx", "https://cyclonedx.org/bom"),
    ("openvex", "https://openvex.dev/ns"),
    ("vuln", "https://cosign.sigstore.dev/attestation/vuln/v1"),
    ("link", "https://in-toto.io/Link/v1"),
];

/// Which image, and who is believed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Signatures and attestations are looked for beside the image in its registry. Those of the digest that IMAGE names count: of \
a multi-platform image, the index.

With --trusted-root a signature must be proven to be in the log of that sigstore instance. A key alone needs no log.

Examples:
  boltseal verify registry.example.com/team/app:v1 --key cosign.pub
  boltseal verify registry.example.com/team/app:v1 --trusted-root trusted_root.json \\
    --certificate-identity-regexp 'https://github\\.com/team/app/.*' \\
    --certificate-oidc-issuer https://token.actions.githubusercontent.com

Exit codes: 0 signed by somebody who is believed; 1 not signed by any of them; 2 usage; 3 not found, not logged in, or \
the registry cannot be reached; 4 internal fault")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Believe the holder of this key: the public half in PEM; may be given more than once
    #[arg(long, value_name = "FILE")]
    key: Vec<PathBuf>,
    /// Believe this identity: an address or a URI
    #[arg(long, value_name = "IDENTITY", conflicts_with = "certificate_identity_regexp")]
    certificate_identity: Option<String>,
    /// Believe identities that match as a whole
    #[arg(long, value_name = "PATTERN")]
    certificate_identity_regexp: Option<String>,
    /// Who vouches for the identity
    #[arg(long, value_name = "URL", conflicts_with = "certificate_oidc_issuer_regexp")]
    certificate_oidc_issuer: Option<String>,
    /// Who may vouch for the identity: all of it matches
    #[arg(long, value_name = "PATTERN")]
    certificate_oidc_issuer_regexp: Option<String>,
    /// Certificates, logs and clocks of a sigstore instance: its `trusted_root.json`
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Want a signed statement of this type instead of a signature: a URI, or cosign's name for one, such as
    /// `slsaprovenance1`
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
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

/// One signature or attestation.
#[derive(Serialize)]
struct Row {
    place: String,
    digest: Digest,
    /// Who is believed, by the name of the key's file, or `identity`.
    authority: Option<String>,
    signer: Option<String>,
    /// Times that log or clock prove.
    at: Vec<Timestamp>,
    logged: bool,
    /// Of a statement.
    predicate_type: Option<String>,
    /// Whether it is what was asked for.
    counts: bool,
    /// Why it does not.
    refused: Option<String>,
}

/// Verifies.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let authorities = authorities(args)?;
    let reference = image(&args.image)?;
    let repository = args.connection.repository(&reference, global)?;
    let digest = repository.head(Name::of(&reference))?.digest;
    let kind = args.kind.as_deref().map(kind);
    let evidence: Vec<Row> = signatures(&repository, &digest, &authorities)?
        .into_iter()
        .map(|checked| row(checked, kind.as_deref()))
        .collect();
    let signed = evidence.iter().any(|row| row.counts);
    let verified = Verified { reference: reference.to_string(), digest, wanted: kind, signed, evidence };
    args.written.show(&verified, console, table::people)?;
    if signed {
        return Ok(Exit::Pass);
    }
    let kind = verified.wanted.as_ref();
    let what = kind.map_or_else(|| "signature".to_owned(), |kind| format!("statement of type {kind}"));
    let next = if verified.evidence.is_empty() {
        "sign it, and attach the signature to this digest"
    } else {
        "see above why nothing that is attached counts"
    };
    let failure = format!("{}: no {what} by anybody who is believed", verified.reference);
    Err(Failure::denied(failure).next(next))
}

fn kind(asked: &str) -> String {
    KINDS.iter().find(|(name, _)| *name == asked).map_or(asked, |(_, uri)| uri).to_owned()
}

fn authorities(args: &Args) -> Result<Vec<Authority>, Failure> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| Failure::usage(format_args!("{}: {error}", path.display())))
    };
    let root = match &args.trusted_root {
        Some(path) => {
            let root = Root::parse(&read(path)?);
            Some(Arc::new(root.map_err(|why| Failure::usage(format_args!("{}: {why}", path.display())))?))
        }
        None => None,
    };
    let mut all = Vec::new();
    for path in &args.key {
        let key = read(path)?.parse();
        let key = key.map_err(|why| Failure::usage(format_args!("{}: {why}", path.display())))?;
        all.push(Authority { name: path.display().to_string(), who: Who::Key { key, root: root.clone() } });
    }
    let subject = pattern(args.certificate_identity.as_ref(), args.certificate_identity_regexp.as_ref())?;
    let issuer =
        pattern(args.certificate_oidc_issuer.as_ref(), args.certificate_oidc_issuer_regexp.as_ref())?;
    match (subject, issuer) {
        (Some(subject), Some(issuer)) => {
            let root = root.ok_or_else(|| {
                Failure::usage("an identity needs somebody who vouches for its certificate")
                    .next("give --trusted-root FILE: the `trusted_root.json` of the sigstore instance")
            })?;
            all.push(Authority { name: "identity".into(), who: Who::Identity { subject, issuer, root } });
        }
        (None, None) => {}
        _ => {
            return Err(Failure::usage("an identity is believed only together with who vouches for it")
                .next("give both --certificate-identity and --certificate-oidc-issuer"));
        }
    }
    if all.is_empty() {
        return Err(Failure::usage("nobody is believed")
            .next("give --key FILE, or --certificate-identity and the others"));
    }
    Ok(all)
}

fn pattern(exact: Option<&String>, matching: Option<&String>) -> Result<Option<Pattern>, Failure> {
    match (exact, matching) {
        (Some(exact), _) => Ok(Some(Pattern::Exact(exact.clone()))),
        (None, Some(matching)) => Pattern::anchored(matching).map(Some).map_err(Failure::usage),
        (None, None) => Ok(None),
    }
}

/// `kind` is the type of statement that is asked for; without one, a signature is.
fn row(checked: Checked, kind: Option<&str>) -> Row {
    let Checked { digest, place, outcome } = checked;
    match outcome {
        Ok(signed) => {
            let predicate_type = signed.statement.map(|statement| statement.predicate_type);
            Row {
                place,
                digest,
                authority: Some(signed.authority),
                signer: Some(signer(&signed.by)),
                at: signed.at,
                logged: signed.logged,
                counts: predicate_type.as_deref() == kind,
                refused: None,
                predicate_type,
            }
        }
        Err(why) => Row {
            place,
            digest,
            authority: None,
            signer: None,
            at: Vec::new(),
            logged: false,
            predicate_type: None,
            counts: false,
            refused: Some(why.to_string()),
        },
    }
}

fn signer(by: &Signer) -> String {
    match by {
        Signer::Key(digest) => format!("key {digest}"),
        Signer::Identity { subject, issuer } => format!("{subject} ({issuer})"),
    }
}
