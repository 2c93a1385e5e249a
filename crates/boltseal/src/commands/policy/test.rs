//! `boltseal policy test FILE…`

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
};

use boltseal_junit::{Case, End, Suite, Told, written};
use boltseal_model::Timestamp;
use boltseal_policy::{Cases, Outcome};
use clap::ValueEnum;
use serde::Serialize;

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        deliver, json,
        paint::{Paint, clean, count},
    },
};

/// Bytes of a report beside the tests.
const MAX_REPORT: usize = 64 << 20;

/// Which tests.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal policy test policy.test.yaml
  boltseal policy test policies/*.test.yaml --format junit --output policies.xml
  boltseal policy test policy.test.yaml --policy draft.yaml

Exit codes: 0 every test passed; 1 one did not; 2 a file holds no tests or no policy")]
pub struct Args {
    /// Files of tests: docs/guide/policy.md says how they are written
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Test this policy instead of those that the files name
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// How to write the outcome
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Junit,
}

/// Outcomes of one file.
#[derive(Debug, Serialize)]
struct Tested {
    file: String,
    policy: String,
    tests: Vec<Outcome>,
}

/// Runs the tests, prints, and answers.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let all = args.files.iter().map(|file| tested(file, args)).collect::<Result<Vec<_>, _>>()?;
    let file = args.output.as_deref();
    let text = match args.format {
        Format::Table => table(&all, console.paint(file)),
        Format::Json => json(&all)?,
        Format::Junit => junit(&all),
    };
    deliver(&text, file, console)?;
    let failed = all.iter().flat_map(|file| &file.tests).any(|test| !test.problems.is_empty());
    Ok(if failed { Exit::Denied } else { Exit::Pass })
}

fn tested(path: &Path, args: &Args) -> Result<Tested, Failure> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside =
        |name: &str| given::bounded(&folder.join(name), MAX_REPORT).map_err(|failure| failure.to_string());
    let cases = Cases::parse(&given::text(path)?, &beside).map_err(|error| {
        let said = error.to_string();
        let said = said.strip_prefix("policy ").unwrap_or(&said);
        Failure::usage(format_args!("{}: {said}", path.display()))
            .next("docs/guide/policy.md says how tests are written")
    })?;
    let policy = match (&args.policy, cases.policy()) {
        (Some(policy), _) => policy.clone(),
        (None, Some(name)) => folder.join(name),
        (None, None) => {
            return Err(Failure::usage(format_args!("{} names no policy", path.display()))
                .next("write `policy: policy.yaml` into it, or name one with --policy"));
        }
    };
    let rules = given::rules(&policy)?;
    let now = cases.at().unwrap_or_else(Timestamp::now);
    Ok(Tested {
        file: path.display().to_string(),
        policy: policy.display().to_string(),
        tests: cases.tests().iter().map(|case| case.run(&rules.policy, now)).collect(),
    })
}

fn table(all: &[Tested], paint: Paint) -> String {
    let mut out = String::new();
    let (mut passed, mut failed) = (0, 0);
    for file in all {
        let _ = writeln!(
            out,
            "{} {}",
            paint.bold(&clean(&file.file)),
            paint.dim(&format!("({})", clean(&file.policy)))
        );
        for test in &file.tests {
            let place = paint.dim(&format!("(line {})", test.line));
            if test.problems.is_empty() {
                passed += 1;
                let _ = writeln!(out, "  pass  {}", clean(&test.name));
            } else {
                failed += 1;
                let _ = writeln!(out, "  {}  {} {place}", paint.alarm("FAIL"), clean(&test.name));
                for problem in &test.problems {
                    let _ = writeln!(out, "        {}", clean(problem));
                }
            }
        }
    }
    let _ = writeln!(out, "{}: {passed} passed, {failed} failed", count(passed + failed, "test"));
    out
}

fn junit(all: &[Tested]) -> String {
    let case = |file: &Tested, test: &Outcome| -> Case<'static> {
        let (file, name) = (file.file.clone(), test.name.clone());
        match test.problems.first() {
            None => Case::new(file, name, End::passed("")),
            Some(first) => {
                let told = Told::new("", first.clone(), test.problems.join("\n"));
                Case::new(file.clone(), name, End::Failed(told)).at(file, test.line)
            }
        }
    };
    let suite = |file: &Tested| Suite {
        name: file.file.clone(),
        cases: file.tests.iter().map(|test| case(file, test)).collect(),
    };
    written("boltseal policy test", &all.iter().map(suite).collect::<Vec<_>>())
}
