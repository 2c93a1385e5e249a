//! Answers as text: for people here, for programs in `scan::format`.

pub mod access;
pub mod aging;
mod also;
pub mod credentials;
pub mod definitions;
pub mod exceptions;
pub mod feeds;
pub mod findings;
mod format;
pub mod groups;
pub mod images;
pub mod life;
pub mod notifications;
pub mod packages;
pub mod paint;
pub mod plans;
pub mod records;
pub mod retention;
pub mod running;
pub mod search;
mod seen;
pub mod storage;
pub mod table;
pub mod upstreams;
pub mod verdict;
pub mod webhooks;

use std::{fs, path::Path};

use clap::ValueEnum;
use serde::Serialize;

use crate::{console::Console, exit::Failure};

pub use also::Also;
pub use format::Format;
use paint::Paint;

/// How an answer that is no report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Table,
    Json,
}

/// How to write it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct Written {
    /// How to write it
    #[arg(long, short, value_name = "FORMAT", default_value = "table")]
    format: Form,
}

impl Written {
    /// Writes `value` to stdout: as JSON, or as what `people` makes of it.
    pub fn show<T: Serialize>(
        self,
        value: &T,
        console: &Console,
        people: impl FnOnce(&T, Paint) -> String,
    ) -> Result<(), Failure> {
        console.data(&match self.format {
            Form::Table => people(value, console.paint(None)),
            Form::Json => json(value)?,
        })
    }

    /// Whether a program reads it.
    pub fn is_json(self) -> bool {
        self.format == Form::Json
    }
}

/// For programs, over several lines.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).map_err(Failure::fault)?;
    text.push('\n');
    Ok(text)
}

/// Writes `text` to `file`, or to stdout where there is none.
pub fn deliver(text: &str, file: Option<&Path>, console: &Console) -> Result<(), Failure> {
    let Some(path) = file else { return console.data(text) };
    fs::write(path, text).map_err(|wrong| {
        Failure::fault(format_args!("cannot write {}: {wrong}", path.display()))
            .next("name a file in a folder that exists and that you may write to, or leave out --output")
    })
}

impl Console {
    /// How to dress text that goes to `file`, or to stdout where there is none: files are never coloured.
    pub const fn paint(&self, file: Option<&Path>) -> Paint {
        Paint { colour: self.colour() && file.is_none(), width: self.width() as usize }
    }
}
