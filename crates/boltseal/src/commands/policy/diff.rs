//! `boltseal policy diff BEFORE AFTER`

use std::{fmt::Write as _, path::PathBuf};

use boltseal_policy::{Change, What, compare};

use crate::{
    console::Console,
    exit::{Exit, Failure},
    given,
    output::{
        Written,
        paint::{Paint, count},
    },
};

/// Which policies.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal policy diff policy.yaml draft.yaml
  git show HEAD:policy.yaml > before.yaml && boltseal policy diff before.yaml policy.yaml

Exit codes: 0 compared, whether or not they differ; 2 one of them is no policy")]
pub struct Args {
    /// What was
    before: PathBuf,
    /// What is to be
    after: PathBuf,
    #[command(flatten)]
    written: Written,
}

/// Compares.
pub fn run(args: &Args, console: &Console) -> Result<Exit, Failure> {
    let (before, after) = (given::rules(&args.before)?.policy, given::rules(&args.after)?.policy);
    args.written.show(&compare(&before, &after), console, |all, paint| table(all, paint))?;
    Ok(Exit::Pass)
}

fn table(all: &[Change], paint: Paint) -> String {
    let mut out = String::new();
    for change in all {
        let sign = match change.what {
            What::Added => "+",
            What::Removed => "-",
            What::Changed => "~",
        };
        let _ = writeln!(
            out,
            "{} {} {} {}",
            paint.bold(sign),
            change.part,
            paint.bold(&change.name),
            change.what
        );
        for (word, text) in [("before", &change.before), ("after", &change.after)] {
            if let Some(text) = text {
                let _ = writeln!(out, "    {}{text}", paint.dim(&format!("{word:<8}")));
            }
        }
    }
    let _ = writeln!(
        out,
        "{}",
        if all.is_empty() { "no difference".to_owned() } else { count(all.len(), "difference") }
    );
    out
}
