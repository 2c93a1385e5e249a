//! `--also FORMAT=FILE` and `--summary FILE`: one run, several documents.

use std::{
    env,
    fs::OpenOptions,
    io::Write as _,
    path::{Path, PathBuf},
};

use boltseal_model::Report;
use boltseal_scan::format;

use super::{Format, deliver, paint::Paint};
use crate::{console::Console, exit::Failure};

/// Where GitHub Actions wants the summary of a step.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// More documents than the one of `--format`.
#[derive(Debug, clap::Args)]
pub struct Also {
    /// Write the report in another format to another file too, such as `sarif=app.sarif`; `-` is standard output; may be
    /// given again
    #[arg(long, value_name = "FORMAT=FILE", value_parser = one)]
    also: Vec<(Format, PathBuf)>,
    /// Write a summary in Markdown to this file; one is added to the file that `$GITHUB_STEP_SUMMARY` names, where it is set
    #[arg(long, value_name = "FILE")]
    summary: Option<PathBuf>,
}

impl Also {
    /// Writes all of them.
    pub fn deliver(
        &self,
        report: &Report,
        people: fn(&Report, Paint) -> String,
        console: &Console,
    ) -> Result<(), Failure> {
        for (format, path) in &self.also {
            let file = Some(path.as_path()).filter(|path| *path != Path::new("-"));
            deliver(&format.text(report, console.paint(file), people)?, file, console)?;
        }
        let step = env::var_os(STEP_SUMMARY).map(PathBuf::from).filter(|path| !path.as_os_str().is_empty());
        if self.summary.is_none() && step.is_none() {
            return Ok(());
        }
        let Some(markdown) = format::by_name("markdown") else { return Ok(()) };
        let text = markdown
            .text(report)
            .map_err(|wrong| Failure::fault(format_args!("cannot write the summary: {wrong}")))?;
        if let Some(path) = &self.summary {
            deliver(&text, Some(path), console)?;
        }
        if let Some(path) = step.filter(|step| self.summary.as_ref() != Some(step)) {
            // The page of a run is a convenience: without it the answer is still the answer.
            let added = OpenOptions::new().create(true).append(true).open(&path);
            if let Err(wrong) = added.and_then(|mut file| file.write_all(text.as_bytes())) {
                console.warning(format_args!("cannot write the summary to {}: {wrong}", path.display()));
            }
        }
        Ok(())
    }
}

fn one(text: &str) -> Result<(Format, PathBuf), String> {
    let (name, path) = text.split_once('=').ok_or("write FORMAT=FILE, such as sarif=app.sarif")?;
    let format = Format::named(name).ok_or_else(|| {
        let names: Vec<&str> = Format::names().collect();
        format!("format `{name}` is not known: use {}", names.join(", "))
    })?;
    if path.is_empty() {
        Err("the name of the file is missing".to_owned())
    } else {
        Ok((format, path.into()))
    }
}
