//! What can be wrong with an archive.

use std::io;

use crate::{At, LayerName};

/// A problem and its place.
#[derive(Debug)]
pub struct Error {
    /// In the uncompressed archive.
    pub offset: u64,
    /// Of the entry, if the header got that far.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

/// What is wrong.
#[derive(Debug)]
pub enum Problem {
    /// The archive breaks its format.
    Broken(String),
    /// More of something than is allowed.
    Limit(&'static str, u64),
    /// The bytes under the archive could not be read.
    Io(io::Error),
}

impl Problem {
    pub(super) const fn limit(what: &'static str, limit: u64) -> Self {
        Self::Limit(what, limit)
    }
}

impl Error {
    pub(super) const fn io(offset: u64, source: io::Error) -> Self {
        Self { offset, path: String::new(), problem: Problem::Io(source) }
    }

    /// The same about the entry `path`, unless it names one.
    #[must_use]
    pub fn about(mut self, path: &str) -> Self {
        if self.path.is_empty() {
            path.clone_into(&mut self.path);
        }
        self
    }

    /// As an error of the crate, about `layer`. Errors that came through the source come out unchanged.
    pub fn of_layer(self, layer: &LayerName) -> crate::Error {
        let at = if self.path.is_empty() { At::Byte(self.offset) } else { At::Entry(self.path) };
        let layer = layer.clone();
        match self.problem {
            Problem::Broken(why) => crate::Error::Layer { layer, at, why },
            Problem::Limit(what, limit) => crate::Error::Limit { layer, at, what, limit },
            Problem::Io(source) => match source.downcast::<crate::Error>() {
                Ok(error) => error,
                Err(source) => crate::Error::io(format!("layer {layer}{at}"), source),
            },
        }
    }
}
