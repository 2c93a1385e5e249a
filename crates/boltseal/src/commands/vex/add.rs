//! `boltseal vex add`

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use boltseal_flow::vex;
use boltseal_image::{
    manifest::Document,
    remote::{Attachment, Content, Name, Repository},
};
use boltseal_model::{Digest, Reference, Timestamp, VexStatus};
use boltseal_scan::vex::{
    Origin,
    write::{self, Addition, JUSTIFICATIONS, MEDIA_TYPE},
};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::{
    cli::Global,
    commands::image::place::{Connection, image},
    console::Console,
    exit::{Exit, Failure},
    output,
    target::Clock,
};

/// When the artifact was made (image specification, "Pre-Defined Annotation Keys").
const CREATED: &str = "org.opencontainers.image.created";
/// Who made it.
const AUTHORS: &str = "org.opencontainers.image.authors";

/// What is said, about what, and where it goes.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal vex add --product pkg:deb/debian/bash --vulnerability CVE-2022-3715 --status not_affected \\
    --justification vulnerable_code_not_in_execute_path --author 'Shop Team' \\
    --reason 'no shell is ever started' --output shop.openvex.json
  boltseal vex add --product registry.example.com/shop/cart:7 --subcomponent pkg:npm/lodash \\
    --vulnerability CVE-2021-23337 --status affected --author 'Shop Team' \\
    --reason 'upgrade to 4.17.21' --attach")]
pub struct Args {
    /// What it is about: a package URL, or an image in a registry, which is meant by its digest
    #[arg(long, value_name = "REF|PURL")]
    product: String,
    /// Only this package in it, as a package URL; may be given more than once
    #[arg(long, value_name = "PURL")]
    subcomponent: Vec<String>,
    /// Id of the vulnerability, such as CVE-2022-3715
    #[arg(long, value_name = "ID")]
    vulnerability: String,
    /// What about it
    #[arg(long, value_name = "STATUS", value_parser = status())]
    status: VexStatus,
    /// Why it is not affected; needed with `not_affected`, and only there
    #[arg(long, value_name = "WORD", value_parser = PossibleValuesParser::new(JUSTIFICATIONS))]
    justification: Option<String>,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    author: String,
    /// Why, or what to do, in words
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// File to make or to extend [default: print a new document]
    #[arg(long, short, value_name = "FILE", conflicts_with = "attach")]
    output: Option<PathBuf>,
    /// Attach the document to the image; extends the latest of the same author that is attached already
    #[arg(long)]
    attach: bool,
    #[command(flatten)]
    clock: Clock,
}

fn status() -> impl TypedValueParser<Value = VexStatus> {
    PossibleValuesParser::new(VexStatus::ALL.map(VexStatus::word))
        .map(|word| VexStatus::of_word(&word).unwrap_or(VexStatus::Affected))
}

/// Says it.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let now = args.clock.now();
    // To the second: nobody says anything faster.
    let at = Timestamp::from_second(now.as_second()).unwrap_or(now);
    if args.product.starts_with("pkg:") {
        if args.attach {
            return Err(Failure::usage("a package URL names no image that something could be attached to")
                .next("name the image with --product, and the package with --subcomponent"));
        }
        return to_file(args, std::slice::from_ref(&args.product), at, console);
    }
    let reference = image(&args.product)?;
    if !args.attach
        && let Some(digest) = reference.digest()
    {
        return to_file(args, &[purl(&reference, digest)], at, console);
    }
    let repository = connection.repository(&reference, global)?;
    let fetched = repository.manifest(Name::of(&reference))?;
    let mut products = vec![purl(&reference, &fetched.digest)];
    // Scanners see one platform's image, not the index.
    if let Document::Index(index) = fetched.document()? {
        products.extend(index.manifests.iter().map(|one| purl(&reference, &one.digest)));
    }
    if args.attach {
        attach(args, &repository, &fetched.digest, &products, at, console)
    } else {
        to_file(args, &products, at, console)
    }
}

/// `pkg:oci/cart@sha256%3A…?repository_url=registry.example.com/shop/cart` (purl type `oci`).
fn purl(reference: &Reference, digest: &Digest) -> String {
    let repository = reference.repository();
    let short = repository.rsplit('/').next().unwrap_or(repository);
    let home = reference.name().to_lowercase().replace(':', "%3A");
    format!("pkg:oci/{short}@{}%3A{}?repository_url={home}", digest.algorithm().name(), digest.hex())
}

fn extended(
    args: &Args,
    existing: Option<&[u8]>,
    products: &[String],
    at: Timestamp,
) -> Result<String, Failure> {
    let addition = Addition {
        products,
        parts: &args.subcomponent,
        vulnerability: &args.vulnerability,
        status: args.status,
        justification: args.justification.as_deref(),
        author: &args.author,
        reason: &args.reason,
        at,
    };
    write::add(existing, &addition).map_err(Failure::usage)
}

fn to_file(args: &Args, products: &[String], at: Timestamp, console: &Console) -> Result<Exit, Failure> {
    let existing = args.output.as_deref().filter(|path| path.exists()).map(read).transpose()?;
    let text = extended(args, existing.as_deref(), products, at)?;
    match &args.output {
        Some(path) => replace(path, &text)?,
        None => output::deliver(&text, None, console)?,
    }
    Ok(Exit::Pass)
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|wrong| Failure::usage(format_args!("cannot read {}: {wrong}", path.display())))
}

/// Whole or not at all: what was said before must not be lost.
fn replace(path: &Path, text: &str) -> Result<(), Failure> {
    let wrong = |wrong: &dyn std::fmt::Display| {
        Failure::fault(format_args!("cannot write {}: {wrong}", path.display()))
            .next("name a file in a folder that exists and that you may write to")
    };
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .tempfile_in(folder)
        .map_err(|error| wrong(&error))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.as_file().sync_all())
        .map_err(|error| wrong(&error))?;
    file.persist(path).map(drop).map_err(|error| wrong(&error))
}

fn attach(
    args: &Args,
    repository: &Repository,
    subject: &Digest,
    products: &[String],
    at: Timestamp,
    console: &Console,
) -> Result<Exit, Failure> {
    let existing = latest(args, repository, subject)?;
    let text = extended(args, existing.as_deref(), products, at)?;
    let mut file = tempfile::NamedTempFile::new()
        .map_err(|wrong| Failure::fault(format_args!("cannot make a temporary file: {wrong}")))?;
    file.write_all(text.as_bytes())
        .map_err(|wrong| Failure::fault(format_args!("cannot write a temporary file: {wrong}")))?;
    let attachment = Attachment {
        artifact_type: MEDIA_TYPE.to_owned(),
        files: vec![Content {
            title: "openvex.json".to_owned(),
            media_type: MEDIA_TYPE.to_owned(),
            path: file.path().to_owned(),
        }],
        annotations: BTreeMap::from([
            (CREATED.to_owned(), at.to_string()),
            (AUTHORS.to_owned(), args.author.clone()),
        ]),
    };
    let attached = repository.attach(Name::Digest(subject), &attachment)?;
    console.data(&format!("{repository}@{}\n", attached.digest))?;
    Ok(Exit::Pass)
}

/// The latest OpenVEX document of this author that is attached.
fn latest(args: &Args, repository: &Repository, subject: &Digest) -> Result<Option<Vec<u8>>, Failure> {
    let mut found: Vec<(Option<Timestamp>, u64, Vec<u8>)> = Vec::new();
    for referrer in vex::found(repository, subject)? {
        if referrer.artifact_type.as_deref() != Some(MEDIA_TYPE) {
            continue;
        }
        let name = format!("referrer {}", referrer.digest);
        let Ok(bytes) = vex::content(repository, &referrer) else { continue };
        match boltseal_scan::vex::read(&bytes, &name, Origin::Attached) {
            Ok(document) if document.author == args.author => {
                found.push((document.changed, document.version, bytes));
            }
            _ => {}
        }
    }
    Ok(found.into_iter().max_by_key(|(changed, version, _)| (*changed, *version)).map(|(_, _, bytes)| bytes))
}
