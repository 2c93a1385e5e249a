//! `boltseal image base IMAGE`

use boltseal_api::{
    aging::Base,
    base::{Bases, Layers},
    client::Client,
};
use boltseal_flow::{Cache, Looking, Wanted, base};
use boltseal_model::{Digest, Platform, Report, Subject};
use boltseal_scan::Snapshot;
use serde::Deserialize;

use super::place::Connection;
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        Written,
        images::{Based, based},
    },
    progress::LayerBar,
    reach::{Reach, path},
    target::Clock,
};

/// The annotations of OCI image specification, "Pre-Defined Annotation Keys"; builders also write them as labels.
const BASE_LABEL: &str = "org.opencontainers.image.base.name";
const BASE_DIGEST: &str = "org.opencontainers.image.base.digest";

/// Which image, and which bases.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Without --base, the server that somebody is logged in to is asked: the base is the image stored there (also in a cache of \
another registry) whose layers are the longest beginning of this one's. Where there is no server, or it knows none, the \
image's label org.opencontainers.image.base.name counts.

Examples:
  boltseal image base registry.example.com/shop/app:1
  boltseal image base oci:build/app --server registry.example.com
  boltseal image base registry.example.com/shop/app:1 --base debian:12.7
  boltseal image base oci:build/app --base debian:12.7 --on debian:12.9
  boltseal image base registry.example.com/shop/app:1 --on debian:13-slim --format json")]
pub struct Args {
    /// The image, as `boltseal scan` takes it
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What it was built on; without it, what a server or its label says
    #[arg(long, value_name = "IMAGE")]
    base: Option<String>,
    /// Also say what would go and come with this base in place of its own
    #[arg(long, value_name = "IMAGE")]
    on: Option<String>,
    /// Which image of a multi-platform one, as os/architecture[/variant] [default: linux on this machine]
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<Platform>,
    /// How many findings a table lists; JSON has all
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    top: usize,
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    clock: Clock,
    #[command(flatten)]
    reach: Reach,
}

/// What a server says of an image.
#[derive(Default, Deserialize)]
struct Told {
    #[serde(flatten)]
    bases: Bases,
    /// What its newer base would change, where the server has judged both.
    rebase: Option<ToldRebase>,
}

#[derive(Deserialize)]
struct ToldRebase {
    onto: String,
    digest: Digest,
    #[serde(flatten)]
    rebase: base::Rebase,
}

/// Reads them and tells the parts apart.
pub fn run(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let snapshot = given::snapshot(global)?;
    let read = |target: &str| read(target, args, connection, global, console, snapshot.as_ref());
    let image = read(&args.image)?;
    let told = if args.base.is_some() { None } else { asked(args, &image, connection, global, console)? };
    let by_layers = told.as_ref().and_then(|told| {
        let base = told.bases.base.as_ref()?;
        Some((subject(base), usize::try_from(base.layers?).ok()?))
    });
    let (own_base, layers) = match by_layers {
        Some(found) => found,
        None => named(args, &image, told.as_ref(), connection, global, console, &read)?,
    };
    let parts = base::parts(&image, layers);
    let (on, rebase) = match (&args.on, told.as_ref().and_then(|told| told.rebase.as_ref())) {
        (Some(on), _) => {
            let new = read(on)?;
            (Some(new.subject.clone()), Some(base::rebase(&parts.theirs, &new)))
        }
        (None, Some(told)) => {
            let digest = Some(told.digest.clone());
            let on =
                Subject { reference: told.onto.clone(), name: None, digest, config: None, platform: None };
            (Some(on), Some(told.rebase.clone()))
        }
        (None, None) => (None, None),
    };
    let matched = image.snapshot.is_some();
    let bases = told.map(|told| told.bases).unwrap_or_default();
    let shown = Based { image: image.subject, base: own_base, matched, parts, on, rebase, bases };
    args.written.show(&shown, console, |shown, paint| based(shown, args.top, paint))?;
    Ok(Exit::Pass)
}

/// What the server says that was named, or that somebody is logged in to. `None` where there is none, or it cannot say.
fn asked(
    args: &Args,
    image: &Report,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Option<Told>, Failure> {
    if !args.reach.is_known()? {
        return Ok(None);
    }
    let answer =
        args.reach.client(global).and_then(|client| ask(&client, args, image, connection, global, console));
    match answer {
        Ok(told) => Ok(Some(told)),
        // The label may do.
        Err(why) if !args.reach.is_named() => {
            console.warning(format_args!("the server was not asked about the base: {why}"));
            Ok(None)
        }
        Err(why) => Err(why),
    }
}

fn ask(
    client: &Client,
    args: &Args,
    image: &Report,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Told, Failure> {
    if let Some(digest) = &image.subject.digest {
        match client.get(&path(&["images", &digest.to_string(), "base"])) {
            Ok(told) => return Ok(told),
            // It does not store this image.
            Err(wrong) if wrong.status() == Some(404) => {}
            Err(wrong) => return Err(wrong.into()),
        }
    }
    let archives: Option<Vec<String>> =
        image.layers.iter().map(|layer| layer.diff_id.as_ref().map(ToString::to_string)).collect();
    let Some(layers) = archives else { return Ok(Told::default()) };
    let labels = labels(args, connection, global, console)?;
    let label = |name: &str| labels.get(name).cloned().filter(|text| !text.is_empty());
    let asked = Layers { layers, base_name: label(BASE_LABEL), base_digest: label(BASE_DIGEST) };
    Ok(Told { bases: client.post(&path(&["bases"]), &asked)?, rebase: None })
}

fn subject(base: &Base) -> Subject {
    let digest = base.digest.parse().ok();
    Subject { reference: base.name.clone(), name: None, digest, config: None, platform: None }
}

/// The base that was named, or that the image's label names, and how many layers it has; it is read for that.
fn named(
    args: &Args,
    image: &Report,
    told: Option<&Told>,
    connection: &Connection,
    global: &Global,
    console: &Console,
    read: &dyn Fn(&str) -> Result<Report, Failure>,
) -> Result<(Subject, usize), Failure> {
    let name = match &args.base {
        Some(name) => name.clone(),
        None => labels(args, connection, global, console)?
            .remove(BASE_LABEL)
            .filter(|name| !name.is_empty())
            .ok_or_else(|| {
                let unknown = if told.is_some() {
                    ", and the server knows no image that its layers begin with"
                } else {
                    ""
                };
                Failure::usage(format_args!("{} does not say what it was built on{unknown}", args.image))
                    .next("name it: --base IMAGE")
            })?,
    };
    let own_base = read(&name)?;
    let layers = base::built_on(&image.layers, &own_base.layers).ok_or_else(|| {
        let wrong =
            format_args!("{} was not built on {name}: its layers do not begin with those", args.image);
        Failure::usage(wrong)
            .next("name the exact version it was built on: a tag may have moved on since, a digest does not")
    })?;
    Ok((own_base.subject, layers))
}

/// What the image says of itself.
fn labels(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<std::collections::BTreeMap<String, String>, Failure> {
    let bar = LayerBar::new(console);
    let mut options = connection.options(&args.image, args.platform.as_ref(), global)?;
    options.progress = Some(&bar);
    let wanted = Wanted { target: &args.image, options: &options, cache: None, looking: Looking::default() };
    Ok(boltseal_flow::contents::contents(&wanted, false)?.config.labels)
}

fn read(
    target: &str,
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
    snapshot: Option<&Snapshot>,
) -> Result<Report, Failure> {
    let bar = LayerBar::new(console);
    let mut options = connection.options(target, args.platform.as_ref(), global)?;
    options.progress = Some(&bar);
    let cache = Cache::at(&given::data(global)?);
    let wanted = Wanted { target, options: &options, cache: Some(&cache), looking: Looking::default() };
    Ok(boltseal_flow::scan(&wanted, snapshot, args.clock.now())?)
}
