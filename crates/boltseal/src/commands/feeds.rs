//! `boltseal feeds import|update|build|status|keygen|publish|pull`

mod keygen;
mod place;
mod publish;
mod pull;

use std::path::PathBuf;

use boltseal_feed::{Fetched, Outcome, Report as Imports, Update};
use boltseal_flow::feeds::{Built, Feeds};
use boltseal_wire::client::Client;
use url::Url;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{Written, feeds as output, paint::count},
    progress::{FeedBars, Spinner},
    target::Clock,
};

/// Records left out that are named; all are counted.
const EXAMPLES: usize = 5;

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Take in feeds that you have as files: no network needed
    Import(Import),
    /// Fetch the public feeds; only what has changed
    Update(Fetch),
    /// Make the snapshot again from the feeds that were taken in
    Build(Build),
    /// Show each feed's age, size and source
    Status(Status),
    /// Make the key that published feeds are signed with
    Keygen(keygen::Args),
    /// Publish the feeds, signed, for others to pull
    Publish(publish::Args),
    /// Take over feeds that somebody published; only what changed is fetched
    Pull(pull::Args),
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Understood are OSV exports (all.zip or folders of records), Debian's security tracker and its DSA and DLA \
lists, Ubuntu's CVE tracker, Alpine's secdb, Arch's tracker, Photon's JSON, CSAF of Red Hat and SUSE, CVRF of \
SUSE, OVAL of Oracle, Red Hat, SUSE and Azure Linux, updateinfo.xml of Amazon, Rocky, AlmaLinux and Fedora, \
CISA's KEV and FIRST's EPSS; plain, .gz, .bz2, .zst, .zip or in a tar archive.

Example:
  boltseal feeds import osv/PyPI/all.zip secdb.tar.zst known_exploited_vulnerabilities.json

Exit codes: 0 all taken in; 2 usage; 3 a file is broken or no feed, the others are in use; 4 internal fault")]
struct Import {
    /// Files and folders
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal feeds update
  boltseal feeds update --only osv:PyPI --only kev
  boltseal feeds update --mirror https://mirror.example.com/feeds

Exit codes: 0 everything is current; 2 usage; 3 a feed could not be fetched, what there was is in use; \
4 internal fault")]
struct Fetch {
    /// Fetch from a server that has copies of the public files
    #[arg(long, value_name = "URL", env = "BOLTSEAL_FEEDS_MIRROR")]
    mirror: Option<Url>,
    /// Fetch only this feed; `osv` stands for all of osv.dev. May be given several times
    #[arg(long, value_name = "FEED")]
    only: Vec<String>,
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, clap::Args)]
struct Build {
    #[command(flatten)]
    clock: Clock,
}

#[derive(Debug, clap::Args)]
struct Status {
    #[command(flatten)]
    written: Written,
    #[command(flatten)]
    clock: Clock,
}

/// Does it.
pub fn run(args: Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let feeds = Feeds::at(&given::data(global)?);
    match args.verb {
        Verb::Import(args) => import(&args, &feeds, console),
        Verb::Update(args) => update(args, &feeds, console),
        Verb::Build(args) => rebuild(&args, &feeds, console),
        Verb::Status(args) => status(&args, &feeds, console),
        Verb::Keygen(args) => keygen::run(&args, console),
        Verb::Publish(args) => publish::run(&args, &feeds, global, console),
        Verb::Pull(args) => pull::run(&args, &feeds, global, console),
    }
}

fn import(args: &Import, feeds: &Feeds, console: &Console) -> Result<Exit, Failure> {
    let imports = feeds.import(&args.paths, args.clock.now(), &FeedBars::new(console))?;
    remarks(&imports, console);
    let none = imports.feeds.is_empty();
    if !none {
        console.data(&output::imported(&imports, console.paint(None)))?;
        build(feeds, args.clock, console)?;
    }
    for (_, wrong) in &imports.failed {
        console.error(&Failure::undecided(wrong));
    }
    Ok(if none || !imports.failed.is_empty() { Exit::Undecided } else { Exit::Pass })
}

/// What was left out, so that nobody takes it for imported.
fn remarks(imports: &Imports, console: &Console) {
    if imports.ignored_count > 0 {
        let examples = imports.ignored.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(", ");
        let files = count(usize::try_from(imports.ignored_count).unwrap_or(usize::MAX), "file");
        console.note(format_args!("{files} left out as no known feed: {examples}"));
    }
    for imported in imports.feeds.iter().filter(|imported| imported.kept_newer) {
        console.note(format_args!("{}: what is stored is newer and was kept", imported.id));
    }
    for (what, why) in imports.rejected.iter().take(EXAMPLES) {
        console.warning(format_args!("record left out: {what}: {why}"));
    }
}

fn update(args: Fetch, feeds: &Feeds, console: &Console) -> Result<Exit, Failure> {
    let client = Client::new(&boltseal_wire::client::Options::default()).map_err(Failure::fault)?;
    let how = Update { mirror: args.mirror, only: args.only, ..Update::new(client) };
    let fetched = feeds.update(&how, args.clock.now(), &FeedBars::new(console))?;
    console.data(&output::fetched(&fetched, console.paint(None)))?;
    let failed = |fetched: &Fetched| matches!(fetched.outcome, Outcome::Failed(_));
    for one in &fetched {
        if let Outcome::Failed(wrong) = &one.outcome {
            console.error(&Failure::undecided(format_args!("{}: {wrong}", one.id)));
        }
    }
    if !fetched.iter().all(failed) {
        build(feeds, args.clock, console)?;
    }
    Ok(if fetched.iter().any(failed) { Exit::Undecided } else { Exit::Pass })
}

fn rebuild(args: &Build, feeds: &Feeds, console: &Console) -> Result<Exit, Failure> {
    for (what, why) in build(feeds, args.clock, console)?.examples.iter().take(EXAMPLES) {
        console.warning(format_args!("record left out: {what}: {why}"));
    }
    Ok(Exit::Pass)
}

fn build(feeds: &Feeds, clock: Clock, console: &Console) -> Result<Built, Failure> {
    let spinner = Spinner::new(console, "building the snapshot");
    let built = feeds.build(clock.now())?;
    spinner.end();
    console.data(&output::built(&built))?;
    Ok(built)
}

fn status(args: &Status, feeds: &Feeds, console: &Console) -> Result<Exit, Failure> {
    let status = feeds.status()?;
    let now = args.clock.now();
    args.written
        .show(&output::Document::of(&status), console, |_, paint| output::status(&status, now, paint))?;
    Ok(Exit::Pass)
}
