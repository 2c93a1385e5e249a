//! `boltseal image base IMAGE`

use boltseal_flow::{Cache, Looking, Wanted, base};
use boltseal_model::{Platform, Report};
use boltseal_scan::Snapshot;

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
    target::Clock,
};

/// The annotation of OCI image specification, "Pre-Defined Annotation Keys"; builders also write it as a label.
const BASE_LABEL: &str = "org.opencontainers.image.base.name";

/// Which image, and which bases.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal image base registry.example.com/shop/app:1 --base debian:12.7
  boltseal image base oci:build/app --base debian:12.7 --on debian:12.9
  boltseal image base registry.example.com/shop/app:1 --on debian:13-slim --format json")]
pub struct Args {
    /// The image, as `boltseal scan` takes it
    #[arg(value_name = "IMAGE")]
    image: String,
    /// What it was built on; without it, its label org.opencontainers.image.base.name
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
    let name = match &args.base {
        Some(name) => name.clone(),
        None => labelled(args, connection, global, console)?,
    };
    let own_base = read(&name)?;
    let Some(layers) = base::built_on(&image.layers, &own_base.layers) else {
        let wrong =
            format_args!("{} was not built on {name}: its layers do not begin with those", args.image);
        return Err(Failure::usage(wrong).next(
            "name the exact version it was built on: a tag may have moved on since, a digest does not",
        ));
    };
    let parts = base::parts(&image, layers);
    let rebase = match &args.on {
        Some(on) => {
            let new = read(on)?;
            Some((new.subject.clone(), base::rebase(&parts.theirs, &new)))
        }
        None => None,
    };
    let shown = Based {
        image: image.subject,
        base: own_base.subject,
        matched: image.snapshot.is_some(),
        parts,
        on: rebase.as_ref().map(|(subject, _)| subject.clone()),
        rebase: rebase.map(|(_, rebase)| rebase),
    };
    args.written.show(&shown, console, |shown, paint| based(shown, args.top, paint))?;
    Ok(Exit::Pass)
}

/// What the image's label says it was built on.
fn labelled(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<String, Failure> {
    let bar = LayerBar::new(console);
    let mut options = connection.options(&args.image, args.platform.as_ref(), global)?;
    options.progress = Some(&bar);
    let wanted = Wanted { target: &args.image, options: &options, cache: None, looking: Looking::default() };
    let contents = boltseal_flow::contents::contents(&wanted, false)?;
    contents.config.labels.get(BASE_LABEL).cloned().filter(|name| !name.is_empty()).ok_or_else(|| {
        Failure::usage(format_args!("{} does not say what it was built on", args.image))
            .next("name it: --base IMAGE")
    })
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
