//! Where the entries of a layer come from: the archive itself, an extract made when it was read before, or its table of
//! contents. Whoever applies layers cannot tell them apart.

use boltseal_model::Want;

use super::{Keeper, Kept};
use crate::{Error, tar::Entry};

/// The entries of one layer, in the order of its archive.
pub trait Entries {
    /// The next one, or `None` after the last.
    fn next(&mut self) -> Result<Option<Entry>, Error>;

    /// Headers of the archive up to here, those that only describe others among them.
    fn headers(&self) -> u64;

    /// Whether the archive said that it ends.
    fn ended(&self) -> bool;

    /// What is to be kept of the content of `entry`, which must be the one that [`Entries::next`] gave last. `None`: an
    /// extract that holds no answer to this question.
    fn keep(
        &mut self,
        entry: &mut Entry,
        ask: Ask<'_>,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Outcome>, Error>;
}

/// A question about one file's content.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Where the file is once links are followed, which depends on the layers below.
    pub path: &'a str,
    /// What is wanted of it.
    pub want: Want,
    /// Whether its text is inspected.
    pub inspects: bool,
}

/// The answer.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is kept.
    pub kept: Kept,
    /// What was said about its text, piece by piece; `None` where it is no text or was not inspected.
    pub remarks: Option<Vec<Vec<u8>>>,
}

/// Why applying a layer stopped.
#[derive(Debug)]
pub enum Stop {
    /// For good.
    Failed(Error),
    /// An extract had no answer; the archive does.
    Missing(Pause),
}

/// Where applying a layer stopped: in the middle of a file.
#[derive(Debug)]
pub struct Pause {
    /// Entries that were taken, the file's among them.
    pub(super) entries: u64,
    pub(super) path: String,
    pub(super) want: Want,
    pub(super) inspects: bool,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Stop {
    pub(super) fn missing(ask: Ask<'_>) -> Self {
        let Ask { path, want, inspects } = ask;
        Self::Missing(Pause { entries: 0, path: path.to_owned(), want, inspects })
    }

    /// The same, `entries` entries into the layer.
    #[must_use]
    pub(super) fn after(mut self, entries: u64) -> Self {
        if let Self::Missing(pause) = &mut self {
            pause.entries = entries;
        }
        self
    }

    /// As an error, where entries come from whoever has all answers.
    pub fn into_error(self) -> Error {
        match self {
            Self::Failed(error) => error,
            Self::Missing(pause) => {
                Error::malformed(pause.path, "is not in what was kept of the layer; please report this")
            }
        }
    }
}
