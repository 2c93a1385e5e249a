//! `boltseal audit export`

use std::{
    fs::{self, File},
    io::{self, Write as _},
    ops::Range,
    path::{Path, PathBuf},
    time::Duration,
};

use boltseal_audit::{
    Record,
    export::{self, Format, Gap, Queue, Step},
    log::{Reader, Storage},
    query::Filter,
};
use boltseal_model::Timestamp;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{
    place::{Place, failed},
    search::bundle,
};
use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    moment,
    reach::Reach,
};

/// How often a log is looked at again.
const AGAIN: Duration = Duration::from_secs(2);
/// Entries of one step, after which the place is remembered: one bundle.
const STEP: u64 = boltseal_audit::log::TILE_WIDTH as u64;
/// A file is never too slow, so nothing is left out for its sake.
const UNLIMITED: u64 = u64::MAX;

/// In which format, from when to when, and where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
One record a line. With --follow and --output the place in the log is kept in FILE.position, so that a \
later run goes on where this one ended; what was archived meanwhile is marked by a record of the gap.

Examples:
  boltseal audit export --format ocsf --since 2026-03-01 --until 2026-04-01 -o march.jsonl
  boltseal audit export --format cef --follow -o /var/log/boltseal.cef
  boltseal audit export --format syslog --follow | nc -q0 loghost 514

Exit codes: 0 done; 1 you may not read the log; 2 usage; 3 it cannot be read")]
pub struct Args {
    /// Whose format
    #[arg(long, short, value_name = "FORMAT", value_parser = format())]
    format: Format,
    /// Only from this moment on: a moment, a date, or a span back such as 7d
    #[arg(long, value_name = "WHEN", value_parser = moment::past)]
    since: Option<Timestamp>,
    /// Only before this moment
    #[arg(long, value_name = "WHEN", value_parser = moment::past, conflicts_with = "follow")]
    until: Option<Timestamp>,
    /// Write to this file instead of standard output; with --follow it is added to
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Go on with what happens from now on
    #[arg(long)]
    follow: bool,
}

fn format() -> impl TypedValueParser<Value = Format> {
    let formats = Format::ALL.map(|format| PossibleValue::new(format.name()).help(format.description()));
    PossibleValuesParser::new(formats).map(|word| Format::named(&word).unwrap_or(Format::Ocsf))
}

/// Writes the log.
pub fn run(args: &Args, reach: &Reach, global: &Global, console: &Console) -> Result<Exit, Failure> {
    match Place::of(reach, global, None, None)? {
        Place::Folder(folder) => export(args, folder.log.reader(), console),
        Place::Server(server) => export(args, &server.reader(None)?, console),
    }
}

fn export<S: Storage>(args: &Args, reader: &Reader<S>, console: &Console) -> Result<Exit, Failure> {
    let moment = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let filter = Filter::parse([("since", moment(args.since)), ("until", moment(args.until))])
        .map_err(Failure::usage)?;
    let position = args.output.as_ref().filter(|_| args.follow).map(|file| position(file));
    let mut sink = Sink::open(args)?;
    let mut queue = match &position {
        Some(file) => resume(file)?,
        None => Queue::new(0, UNLIMITED),
    };
    let mut lost = 0;
    while !sink.is_closed() {
        let size = reader.checkpoint().map_err(|wrong| failed(&wrong))?.checkpoint().size;
        match queue.next(size, 0, STEP) {
            Step::Send(range) => {
                let mut lines = Vec::new();
                // Not beyond the bundle, so that each is read once.
                let end = range.end.min((range.start / STEP + 1) * STEP);
                lost += piece(args, reader, &filter, range.start..end, size, &mut lines)?;
                sink.write(&lines)?;
                queue = Queue::new(end, UNLIMITED);
                if let Some(file) = &position {
                    remember(file, &queue)?;
                }
            }
            Step::Ahead { next, size } => return Err(put_back(next, size)),
            // Nothing is left out on purpose; whatever is missing was told when it was found missing.
            Step::Gap { .. } => queue.sent(),
            Step::Idle if args.follow => std::thread::sleep(AGAIN),
            Step::Idle => break,
        }
    }
    if lost > 0 {
        console
            .warning(format_args!("{lost} records were archived; what was written has marks in their place"));
    }
    Ok(Exit::Pass)
}

fn put_back(next: u64, size: u64) -> Failure {
    Failure::denied(format_args!(
        "{next} records were exported of this log, and it has {size}: it was put back to an older state, or is another"
    ))
    .next("`boltseal audit verify`; to begin anew, remove the .position file")
}

/// Writes the entries of a range within one bundle, and says how many are archived.
fn piece<S: Storage>(
    args: &Args,
    reader: &Reader<S>,
    filter: &Filter,
    range: Range<u64>,
    size: u64,
    lines: &mut Vec<u8>,
) -> Result<u64, Failure> {
    if let Some(found) = bundle(reader, range.start, size)? {
        let entries = found.iter().filter(|(index, _)| *index < range.end);
        let meant = entries.filter(|(_, entry)| filter.may_match(entry));
        meant.for_each(|(index, entry)| add(args, reader, filter, index, entry, lines));
        return Ok(0);
    }
    let gap = Gap { from: range.start, to: range.end, reason: "they were archived".to_owned() };
    gap.write(args.format, reader.verifier().name(), Timestamp::now(), lines);
    lines.push(b'\n');
    Ok(range.end - range.start)
}

/// Adds an entry, if it is meant. One that this version cannot read leaves a mark, not a hole.
fn add<S: Storage>(
    args: &Args,
    reader: &Reader<S>,
    filter: &Filter,
    index: u64,
    entry: &[u8],
    lines: &mut Vec<u8>,
) {
    let origin = reader.verifier().name();
    match Record::parse(entry) {
        Ok(record) if filter.matches(&record) => {
            export::write(args.format, index, origin, &record, entry, lines);
        }
        Ok(_) => return,
        Err(wrong) => {
            let gap = Gap { from: index, to: index + 1, reason: wrong.to_string() };
            gap.write(args.format, origin, Timestamp::now(), lines);
        }
    }
    lines.push(b'\n');
}

/// Where lines go.
enum Sink {
    File(File, PathBuf),
    Out { closed: bool },
}

impl Sink {
    fn open(args: &Args) -> Result<Self, Failure> {
        let Some(path) = &args.output else { return Ok(Self::Out { closed: false }) };
        let mut options = File::options();
        options.create(true).write(true).append(args.follow).truncate(!args.follow);
        let file = options.open(path).map_err(|wrong| unwritable(path, &wrong))?;
        Ok(Self::File(file, path.clone()))
    }

    fn write(&mut self, lines: &[u8]) -> Result<(), Failure> {
        match self {
            Self::File(file, path) => file
                .write_all(lines)
                .and_then(|()| file.sync_data())
                .map_err(|wrong| unwritable(path, &wrong)),
            Self::Out { closed } => {
                let mut out = io::stdout().lock();
                match out.write_all(lines).and_then(|()| out.flush()) {
                    Err(wrong) if wrong.kind() == io::ErrorKind::BrokenPipe => {
                        *closed = true;
                        Ok(())
                    }
                    other => other.map_err(|wrong| unwritable(Path::new("standard output"), &wrong)),
                }
            }
        }
    }

    /// Whether the reader has seen enough.
    const fn is_closed(&self) -> bool {
        matches!(self, Self::Out { closed: true })
    }
}

fn unwritable(path: &Path, wrong: &io::Error) -> Failure {
    Failure::fault(format_args!("cannot write {}: {wrong}", path.display()))
}

fn position(output: &Path) -> PathBuf {
    let mut name = output.as_os_str().to_owned();
    name.push(".position");
    PathBuf::from(name)
}

fn resume(file: &Path) -> Result<Queue, Failure> {
    match fs::read_to_string(file) {
        Ok(text) => Queue::resume(&text, UNLIMITED)
            .map_err(|wrong| Failure::usage(format_args!("{}: {wrong}", file.display()))),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(Queue::new(0, UNLIMITED)),
        Err(wrong) => Err(Failure::usage(format_args!("cannot read {}: {wrong}", file.display()))),
    }
}

/// The old place or the new one, whatever happens: at worst some records are written twice.
fn remember(file: &Path, queue: &Queue) -> Result<(), Failure> {
    let fresh = file.with_extension("position.new");
    fs::write(&fresh, queue.to_string())
        .and_then(|()| fs::rename(&fresh, file))
        .map_err(|wrong| unwritable(file, &wrong))
}
