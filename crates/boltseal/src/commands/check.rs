//! `boltseal check FILE…`

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use boltseal_model::Severity;
use boltseal_orchestrator::{
    checks::{self, Options},
    dockerfile,
    document::{DocumentError, MAX_BYTES},
    fix,
    pss::{self, Level, Version},
    read::{self, Error, Gap, Read},
    report::{self, Outcome, Report},
};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{self, definitions, paint::count},
};

/// Files in folders: more than any repository of definitions has.
const MAX_FILES: usize = 20_000;
/// Folders within folders.
const MAX_DEPTH: usize = 40;
/// Ends of names that definitions have.
const ENDS: [&str; 4] = ["yaml", "yml", "json", "xml"];
/// Folders of other people's files.
const FOREIGN: [&str; 3] = ["node_modules", "target", "vendor"];

/// What to check, and how strictly.
#[derive(Debug, clap::Args)]
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  boltseal check deploy.yaml
  helm template ./chart | boltseal check - --level restricted --version v1.31
  boltseal check azuredeploy.json --format sarif --output check.sarif
  boltseal check deploy/ --fix | patch -p0
  boltseal check deploy/ --policy cluster/policies/
  boltseal check Dockerfile docker/web.Dockerfile

Exit codes: 0 nothing of --fail-on or worse; 1 something; 2 usage; 3 something could not be read or told; \
4 internal fault"
)]
pub struct Args {
    /// Files or folders; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The level of the Pod Security Standards that pods are held to
    #[arg(long, value_name = "LEVEL", default_value = "restricted", value_parser = levels())]
    level: Level,
    /// The version of Kubernetes whose standards they are
    #[arg(long = "version", value_name = "VERSION", default_value = "latest")]
    kubernetes: Version,
    /// Hold what is checked to the admission policies in this file or folder (`ValidatingAdmissionPolicy`, `ValidatingPolicy`),
    /// besides those among the definitions; may be given again
    #[arg(long, value_name = "FILE")]
    policy: Vec<PathBuf>,
    /// End with exit code 1 where something of this severity or worse is found
    #[arg(long, value_name = "SEVERITY", default_value = "medium", value_parser = given::severity())]
    fail_on: Severity,
    /// List only findings of this severity and worse; the rest is counted
    #[arg(long, value_name = "SEVERITY", value_parser = given::severity())]
    severity: Option<Severity>,
    /// Leave out this check; may be given again
    #[arg(long, value_name = "ID", value_parser = id)]
    skip: Vec<String>,
    /// Print a patch that mends what can be mended plainly in YAML, instead of the findings: `patch -p0`
    #[arg(long, conflicts_with_all = ["format", "severity"])]
    fix: bool,
    /// How to write the findings
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = formats())]
    format: String,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

fn levels() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.map(Level::word))
        .map(|word| word.parse().unwrap_or(Level::Restricted))
}

fn formats() -> PossibleValuesParser {
    let table = PossibleValue::new("table").help("For people");
    let documents = report::FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(std::iter::once(table).chain(documents))
}

fn id(text: &str) -> Result<String, String> {
    if checks::by_id(text).is_some() || pss::by_id(text).is_some() {
        Ok(text.to_owned())
    } else {
        Err(format!("no check is called `{text}`; docs/guide/check.md lists them"))
    }
}

/// Reads, checks, prints, and answers.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let (read, texts) = read(&args.files, args.fix)?;
    let (policies, _) =
        if args.policy.is_empty() { Default::default() } else { self::read(&args.policy, false)? };
    let options = Options { level: args.level, version: args.kubernetes };
    let mut report = Report::new(&read, &policies, options, &args.skip);
    let outcome = report.outcome(args.fail_on);
    if let Some(least) = args.severity {
        let before = report.findings.len();
        report.findings.retain(|finding| finding.severity >= least);
        report.skipped += before - report.findings.len();
    }
    let file = args.output.as_deref();
    let text = match report::format(&args.format) {
        _ if args.fix => patch(&report, &texts, console),
        Some(format) => (format.write)(&report, args.fail_on).map_err(Failure::fault)?,
        None => definitions::table(&report, args.fail_on, console.paint(file)),
    };
    output::deliver(&text, file, console)?;
    Ok(match outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::Fail => Exit::Denied,
        Outcome::Undecided => Exit::Undecided,
    })
}

/// What mends the files, and how much of it there is.
fn patch(report: &Report, texts: &[(String, String)], console: &Console) -> String {
    let mut out = String::new();
    let mut places = 0;
    for (name, text) in texts {
        let own: Vec<_> = report.findings.iter().filter(|one| one.file == *name).cloned().collect();
        let edits = fix::edits(text, &own);
        places += edits.len();
        out.push_str(&fix::diff(name, text, &edits));
    }
    let findings = count(report.findings.len(), "finding");
    console.note(format_args!("{} changed, for {findings}; check again after that", count(places, "place")));
    out
}

/// What the files say; and their texts, where they are to be mended.
fn read(paths: &[PathBuf], keeps: bool) -> Result<(Read, Vec<(String, String)>), Failure> {
    let mut all = Read::default();
    let mut texts = Vec::new();
    let mut keep = |name: &str, bytes: &[u8]| {
        if let (true, Ok(text)) = (keeps, std::str::from_utf8(bytes)) {
            texts.push((name.to_owned(), text.to_owned()));
        }
    };
    for path in paths {
        if path == Path::new("-") {
            let bytes = limited(io::stdin().lock(), "standard input")?;
            keep("standard input", &bytes);
            named("standard input", &bytes, &mut all);
        } else if path.is_dir() {
            let mut files = Vec::new();
            walk(path, 0, &mut files)?;
            files.sort();
            for file in &files {
                let (name, bytes) = (file.display().to_string(), open(file)?);
                keep(&name, &bytes);
                found(&name, &bytes, &mut all);
            }
        } else {
            let (name, bytes) = (path.display().to_string(), open(path)?);
            keep(&name, &bytes);
            named(&name, &bytes, &mut all);
        }
    }
    if all.objects.is_empty() && all.builds.is_empty() && all.gaps.is_empty() {
        return Err(Failure::undecided("no definitions in what was named")
            .next("name files with Kubernetes manifests, Compose files, container groups or Dockerfiles"));
    }
    Ok((all, texts))
}

/// A file that was named must be a definition.
fn named(name: &str, bytes: &[u8], all: &mut Read) {
    match read::read(name, bytes) {
        Ok(read) => all.add(read),
        Err(error) => all.gaps.push(gap(name, bytes, &error)),
    }
}

/// A file in a folder may be anything; what is no definition is not missed, what cannot be read is.
fn found(name: &str, bytes: &[u8], all: &mut Read) {
    match read::read(name, bytes) {
        Ok(mut read) => {
            read.gaps.retain(|gap| gap.why != read::FOREIGN);
            all.add(read);
        }
        Err(Error::Unrecognised { .. }) => {}
        Err(error) => all.gaps.push(gap(name, bytes, &error)),
    }
}

fn gap(name: &str, bytes: &[u8], error: &Error) -> Gap {
    let line = error.line();
    let hint = match error {
        Error::Document { cause: DocumentError::Encoding { .. }, .. } => "; save it as UTF-8",
        Error::Document { cause: DocumentError::Syntax { .. }, .. }
            if bytes.windows(2).any(|two| two == b"{{") =>
        {
            "; a template must be rendered first (`helm template`)"
        }
        _ => "",
    };
    Gap { file: name.into(), line, why: format!("{}{hint}", error.why()) }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable =
        |wrong: io::Error| Failure::undecided(format_args!("cannot read {}: {wrong}", folder.display()));
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let path = entry.path();
        let kind = entry.file_type().map_err(unreadable)?;
        // Links to folders may lead round in circles, and `kubectl apply` does not follow them either; to files it does.
        let is_file = kind.is_file() || (kind.is_symlink() && path.is_file());
        if kind.is_dir() {
            let hidden = name.starts_with('.') || FOREIGN.contains(&name.as_ref());
            if !hidden && depth >= MAX_DEPTH {
                return Err(Failure::usage(format_args!(
                    "{}: more than {MAX_DEPTH} folders deep",
                    path.display()
                ))
                .next("name the folder with the definitions"));
            }
            if !hidden {
                walk(&path, depth + 1, files)?;
            }
        } else if is_file && (is_definition(&path) || dockerfile::is_name(&name)) {
            if files.len() >= MAX_FILES {
                return Err(Failure::usage(format_args!("more than {MAX_FILES} files"))
                    .next("name the folder with the definitions"));
            }
            files.push(path);
        }
    }
    Ok(())
}

fn is_definition(path: &Path) -> bool {
    path.extension().is_some_and(|end| ENDS.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

fn open(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display().to_string();
    let file =
        File::open(path).map_err(|wrong| Failure::usage(format_args!("cannot read {name}: {wrong}")))?;
    limited(file, &name)
}

/// One byte more than can be read, so that a reader says that it is too much.
fn limited(from: impl io::Read, name: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX).saturating_add(1);
    from.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|wrong| Failure::undecided(format_args!("cannot read {name}: {wrong}")))?;
    Ok(bytes)
}
