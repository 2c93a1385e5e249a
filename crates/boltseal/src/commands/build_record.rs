//! `boltseal build-record --image IMAGE -- COMMAND`

mod materials;

use std::{
    collections::BTreeMap,
    env, io,
    path::PathBuf,
    process::{Command, Stdio},
};

use boltseal_image::remote::Name;
use boltseal_model::{Digest, Reference, Timestamp};
use boltseal_trust::BuildRecord;

use super::image::place::{Connection, image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::Written,
    signing::{By, Subject, said},
};

/// Parts of names of variables whose values nobody should be able to guess from a hash.
const SECRET: [&str; 6] = ["PASS", "SECRET", "TOKEN", "KEY", "CREDENTIAL", "AUTH"];
/// Bytes of a file with a digest.
const MAX_DIGEST_FILE: usize = 4096;
/// Who built, where nobody says more.
const BUILDER: &str = "urn:boltseal:build-record";

/// Which build, of what.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Runs COMMAND, which makes and pushes IMAGE by any tool. Then writes SLSA provenance 1 of it: the command, the source and its \
commit (as git knows it here), base images by their digests, files that went in, a hash of the environment, and when it \
ran; signs it, and stores it as a referrer of the image. The output of COMMAND goes to stderr.

The command is recorded word for word: give secrets in variables, whose values are not. What the record says is what this \
machine saw; whoever holds the key could say anything, so keep it from the build itself where that matters.

Examples:
  boltseal build-record --image registry.example.com/team/app:v1 --key ci.key --base docker.io/library/alpine:3.22 \\
    -- buildah bud --tag registry.example.com/team/app:v1 .
  boltseal verify registry.example.com/team/app:v1 --key ci.pub --type slsaprovenance1 --source https://git.example.com/team/app

Exit codes: 0 built and recorded; 1 the registry said no; 2 usage, or the key cannot be used; 3 the build failed, or the \
image is not in the registry; 4 internal fault")]
pub struct Args {
    /// The image that the command makes and pushes
    #[arg(long, value_name = "IMAGE")]
    image: String,
    /// File into which the command writes the digest of what it pushed, as `buildah push --digestfile` does [default: what
    /// the registry has under the tag afterwards, which must be something new]
    #[arg(long, value_name = "FILE")]
    digest_file: Option<PathBuf>,
    /// Image that the build starts from; its digest is looked up before. May be given more than once
    #[arg(long, value_name = "IMAGE")]
    base: Vec<String>,
    /// File that goes into the build; may be given more than once
    #[arg(long, value_name = "FILE")]
    material: Vec<PathBuf>,
    /// Where the source is from [default: the remote `origin` of the git repository here, and its commit]
    #[arg(long, value_name = "URI")]
    source: Option<String>,
    /// Who builds: a URI
    #[arg(long, value_name = "URI", default_value = BUILDER)]
    builder: String,
    #[command(flatten)]
    by: By,
    /// Write the bundle into this file instead of the registry
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
    #[command(flatten)]
    connection: Connection,
    #[command(flatten)]
    written: Written,
    /// The command, behind `--`
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<String>,
}

/// Builds and records.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    // All that can be wrong without the build is found before it.
    let reference = image(&args.image)?;
    let holder = args.by.beforehand(args.connection.ca(), console)?;
    let mut materials = Vec::new();
    let source = materials::source(args.source.as_deref(), &mut materials);
    for base in &args.base {
        materials.push(materials::base(base, &args.connection, global)?);
    }
    for path in &args.material {
        materials.push(materials::file(path)?);
    }
    let before = before(args, &reference, global)?;
    let (environment, left_out) = environment();
    let started = Timestamp::now();
    build(&args.command)?;
    let ran = (started, Timestamp::now());
    let made = match &args.digest_file {
        Some(path) => reference.pinned(digest(path)?).to_string(),
        None => args.image.clone(),
    };
    let subject = Subject::find(&made, args.bundle.is_some(), &args.connection, global)?;
    if before.as_ref() == Some(&subject.digest) {
        return Err(Failure::undecided(format_args!("{}: the same image was there before the build", args.image))
            .next("push it in the command; where builds give the same bytes, say what was pushed with --digest-file"));
    }
    let record = BuildRecord {
        command: args.command.clone(),
        source,
        image: args.image.clone(),
        materials,
        environment,
        left_out,
        builder: args.builder.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ran,
    };
    // A certificate for minutes would be over after most builds.
    let by = holder.map_or_else(|| args.by.at_last(args.connection.ca(), console), Ok)?;
    let signed = subject.say(&record.statement(), &by, args.bundle.as_deref())?;
    args.written.show(&signed, console, said)?;
    Ok(Exit::Pass)
}

/// What the registry has under the tag now, so that a build that pushes nothing is not taken for what made that. A file with
/// a digest must not be there either: it would be of another build.
fn before(args: &Args, reference: &Reference, global: &Global) -> Result<Option<Digest>, Failure> {
    if let Some(path) = &args.digest_file {
        if path.exists() {
            return Err(Failure::usage(format_args!("{} is there already", path.display()))
                .next("remove it: it must be of this build"));
        }
        return Ok(None);
    }
    let repository = args.connection.repository(reference, global)?;
    match repository.head(Name::of(reference)) {
        Ok(head) => Ok(Some(head.digest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn build(command: &[String]) -> Result<(), Failure> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(Failure::usage("there is no command"));
    };
    // Data on stdout is ours.
    let status = Command::new(program)
        .args(arguments)
        .env_remove("COSIGN_PASSWORD")
        .stdout(Stdio::from(io::stderr()))
        .status()
        .map_err(|wrong| Failure::usage(format_args!("cannot run `{program}`: {wrong}")))?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::undecided(format_args!("`{program}` failed: {status}")).next("nothing was recorded"))
}

/// A hash over `NAME=VALUE` of every variable that may be told, in the order of names, each with a zero behind it; their
/// names; and the names of those that may not.
fn environment() -> ((Digest, Vec<String>), Vec<String>) {
    let all: BTreeMap<String, String> = env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect();
    let is_secret = |name: &String| {
        let name = name.to_ascii_uppercase();
        SECRET.iter().any(|part| name.contains(part))
    };
    let mut hashed = Vec::new();
    let (mut names, mut left_out) = (Vec::new(), Vec::new());
    for (name, value) in all {
        if is_secret(&name) {
            left_out.push(name);
            continue;
        }
        hashed.extend_from_slice(format!("{name}={value}\0").as_bytes());
        names.push(name);
    }
    ((Digest::of(&hashed), names), left_out)
}

fn digest(path: &std::path::Path) -> Result<Digest, Failure> {
    let text = given::bounded(path, MAX_DIGEST_FILE)?;
    text.trim().parse().map_err(|wrong| Failure::undecided(format_args!("{}: {wrong}", path.display())))
}
