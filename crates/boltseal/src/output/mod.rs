//! Answers as text: for people here, for programs in `scan::format`.

pub mod feeds;
mod format;
pub mod packages;
pub mod paint;
pub mod table;
pub mod verdict;

use std::{fs, path::Path};

use crate::{console::Console, exit::Failure};

pub use format::Format;
use paint::Paint;

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
