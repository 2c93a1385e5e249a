//! `boltseal sbom TARGET`

use std::path::PathBuf;

use crate::{
    cli::Global,
    console::Console,
    exit::{Exit, Failure},
    output::{self, Format, packages},
    target::Target,
};

/// What to list and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  boltseal sbom docker://debian:12
  boltseal sbom rootfs:/ --format cyclonedx --output host.cdx.json

Exit codes: 0 done; 2 usage; 3 an unreadable image, or --require-complete and something was not \
covered; 4 internal fault")]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// End with exit code 3 where anything was not covered
    #[arg(long)]
    require_complete: bool,
    /// How to write the list
    #[arg(long, short, value_name = "FORMAT", default_value = "table", value_parser = Format::parser())]
    format: Format,
    /// Write to this file instead of standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Catalogs and prints.
pub fn run(args: &Args, global: &Global, console: &Console) -> Result<Exit, Failure> {
    let report = args.target.open(global, console, boltseal_flow::sbom)?;
    let file = args.output.as_deref();
    output::deliver(&args.format.text(&report, console.paint(file), packages::packages)?, file, console)?;
    Ok(if args.require_complete && !report.coverage.complete { Exit::Undecided } else { Exit::Pass })
}
