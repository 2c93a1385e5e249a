//! `boltseal image attach IMAGE FILE…`

use std::{collections::BTreeMap, path::PathBuf};

use boltseal_image::remote::{Attachment, Content, Name};
use boltseal_model::Timestamp;

use super::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{
        Written,
        images::{self, Attached},
    },
};

/// When the artifact was made (image specification, "Pre-Defined Annotation Keys").
const CREATED: &str = "org.opencontainers.image.created";
/// The media type of a file that nobody said more about.
const UNKNOWN: &str = "application/octet-stream";

/// What, to which image.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  boltseal image attach registry.example.com:8443/team/app:v1 \\
    sbom.json:application/spdx+json \\
    --artifact-type application/spdx+json --annotation made-by=ci")]
pub struct Args {
    /// The image
    #[arg(value_name = "IMAGE")]
    image: String,
    /// Files to attach: `FILE` or `FILE:MEDIA-TYPE`
    #[arg(value_name = "FILE")]
    files: Vec<String>,
    /// What the artifact is, as a media type
    #[arg(long, value_name = "TYPE")]
    artifact_type: String,
    /// Annotation of the artifact; may be given more than once
    #[arg(long, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
    #[command(flatten)]
    written: Written,
}

/// Attaches.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let reference = image(&args.image)?;
    if !is_media_type(&args.artifact_type) {
        return Err(Failure::usage(format_args!("`{}` is no media type", args.artifact_type))
            .next("write one such as application/spdx+json"));
    }
    let mut annotations = BTreeMap::from([(CREATED.to_owned(), to_the_second(Timestamp::now()))]);
    for text in &args.annotation {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format_args!("`{text}` is no annotation")).next("write KEY=VALUE")
        })?;
        annotations.insert(key.to_owned(), value.to_owned());
    }
    let files = args.files.iter().map(|text| content(text)).collect::<Result<_, _>>()?;
    let attachment = Attachment { artifact_type: args.artifact_type.clone(), files, annotations };
    let repository = connection.repository(&reference, global)?;
    let attached = repository.attach(Name::of(&reference), &attachment)?;
    let told = Attached {
        reference: format!("{repository}@{}", attached.digest),
        digest: attached.digest,
        subject: attached.subject,
        listed: attached.listed,
    };
    args.written.show(&told, console, images::attached)?;
    Ok(Exit::Pass)
}

fn to_the_second(now: Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A media type follows the last colon, if one does.
fn content(text: &str) -> Result<Content, Failure> {
    let (path, media_type) = match text.rsplit_once(':') {
        Some((path, kind)) if is_media_type(kind) => (path, kind),
        _ => (text, UNKNOWN),
    };
    let path = PathBuf::from(path);
    let missing = |why: &str| Failure::usage(format_args!("{}: {why}", path.display()));
    if !path.is_file() {
        return Err(missing("no such file"));
    }
    let title = path.file_name().and_then(|name| name.to_str());
    let title = title.ok_or_else(|| missing("its name is not UTF-8"))?.to_owned();
    Ok(Content { title, media_type: media_type.to_owned(), path })
}

/// `type/subtype` (RFC 6838, section 4.2).
fn is_media_type(text: &str) -> bool {
    let word = |part: &str| {
        !part.is_empty()
            && part.len() <= 127
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| word(kind) && word(subtype))
}
