//! `boltseal image lock IMAGE…`, `unlock IMAGE…`, `locks REPOSITORY`

use boltseal_api::life::{Lock, LockChange};
use boltseal_model::Reference;
use clap::ValueEnum;

use super::place::{Connection, image, named_image};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{Written, life as output},
    reach::path,
};

/// What a lock stands against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Against {
    /// Changing it, and deleting it
    Change,
    /// Deleting it
    Delete,
    /// Pulling it
    Pull,
    /// Showing it in lists
    List,
}

/// What to lock.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
A locked tag stays where it is; a locked manifest stays, whatever tags move; in a locked repository nothing changes.

Examples:
  boltseal image lock registry.example.com/team/app:v1 --note 'in production'
  boltseal image lock registry.example.com/team/app@sha256:e3b0… --against delete
  boltseal image lock registry.example.com:8443/team/app --repository")]
pub struct Args {
    #[command(flatten)]
    what: What,
    /// Why; shown to whoever the lock stops
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
}

/// What to open.
#[derive(Debug, clap::Args)]
pub struct Unlock {
    #[command(flatten)]
    what: What,
}

#[derive(Debug, clap::Args)]
struct What {
    /// `REPOSITORY:TAG`, `REPOSITORY@DIGEST`, or with --repository the repository itself
    #[arg(value_name = "IMAGE", required = true)]
    images: Vec<String>,
    /// What the lock forbids. May be given several times [default: change; when unlocking, everything]
    #[arg(long, value_name = "WHAT")]
    against: Vec<Against>,
    /// The repository as a whole
    #[arg(long)]
    repository: bool,
}

/// Which repository.
#[derive(Debug, clap::Args)]
pub struct List {
    /// `REGISTRY/REPOSITORY`
    #[arg(value_name = "REPOSITORY")]
    repository: String,
    #[command(flatten)]
    written: Written,
}

/// Locks.
pub fn lock(
    args: &Args,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let against = if args.what.against.is_empty() { &[Against::Change][..] } else { &args.what.against };
    change(&args.what, against, false, &args.note, connection, global, console)
}

/// Opens.
pub fn unlock(
    args: &Unlock,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let all = [Against::Change, Against::Delete, Against::Pull, Against::List];
    let against = if args.what.against.is_empty() { &all[..] } else { &args.what.against };
    change(&args.what, against, true, "", connection, global, console)
}

/// Lists.
pub fn list(
    args: &List,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let reference = image(&args.repository)?;
    let client = connection.control(reference.registry(), global)?;
    let locks: Vec<Lock> = client
        .get(&path(&["repositories", reference.repository(), "locks"]))
        .map_err(Failure::about_image)?;
    args.written.show(&locks, console, |locks, paint| output::locks(locks, paint))?;
    Ok(Exit::Pass)
}

fn change(
    what: &What,
    against: &[Against],
    allowed: bool,
    note: &str,
    connection: &Connection,
    global: &Global,
    console: &Console,
) -> Result<Exit, Failure> {
    let read = |text: &String| if what.repository { image(text) } else { named_image(text) };
    let references: Vec<Reference> = what.images.iter().map(read).collect::<Result<_, _>>()?;
    let said = |one: Against| against.contains(&one).then_some(allowed);
    for reference in references {
        let (tag, digest) = if what.repository { (None, None) } else { name(&reference) };
        let asked = LockChange {
            tag,
            digest,
            read: said(Against::Pull),
            write: said(Against::Change),
            delete: said(Against::Delete),
            list: said(Against::List),
            note: note.to_owned(),
        };
        let client = connection.control(reference.registry(), global)?;
        client
            .change(&path(&["repositories", reference.repository(), "locks"]), &asked)
            .map_err(Failure::about_image)?;
        let shown = if what.repository {
            format!("{}/{}", reference.registry(), reference.repository())
        } else {
            reference.to_string()
        };
        console.note(format_args!("{} {shown}", if allowed { "unlocked" } else { "locked" }));
    }
    Ok(Exit::Pass)
}

/// Its tag, or its digest.
pub fn name(reference: &Reference) -> (Option<String>, Option<String>) {
    match reference.digest() {
        Some(digest) => (None, Some(digest.to_string())),
        None => (reference.tag().map(str::to_owned), None),
    }
}
