//! Entries out of an archive as it streams by.

use std::io;

use super::{Ask, Entries, Inspection, Keeper, Outcome, Shown};
use crate::{
    At, Error, LayerName, Limits,
    tar::{Entry, Source, Walker},
};

/// The archive of a layer.
pub struct Archived<'a, S> {
    walker: Walker<'a, S>,
    name: &'a LayerName,
}

impl<'a, S: Source> Archived<'a, S> {
    /// From its first entry.
    pub const fn new(source: S, limits: &'a Limits, name: &'a LayerName) -> Self {
        Self { walker: Walker::new(source, limits), name }
    }
}

impl<S: Source> Entries for Archived<'_, S> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        self.walker.next().map_err(|error| error.of_layer(self.name))
    }

    fn headers(&self) -> u64 {
        self.walker.headers()
    }

    fn ended(&self) -> bool {
        self.walker.ended()
    }

    fn keep(
        &mut self,
        entry: &mut Entry,
        ask: Ask<'_>,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Outcome>, Error> {
        let Ask { path, want, inspects } = ask;
        let name = self.name;
        let broken = |error: crate::tar::Error| error.about(path).of_layer(name);
        let mut inspection = Inspection::new(keeper.selector(), path);
        self.walker.hash(entry, |bytes| keeper.hashes(want, bytes)).map_err(broken)?;
        if self.walker.at_hand(entry).map_err(broken)?.is_some() {
            let sha256 = self.walker.hashed();
            let bytes = self.walker.at_hand(entry).map_err(broken)?.unwrap_or_default();
            let remarks = if inspects { inspection.whole(bytes) } else { None };
            return Ok(Some(Outcome { kept: keeper.slice(path, want, bytes, sha256), remarks }));
        }
        let size = entry.meta.size;
        let mut content = self.walker.content(entry).map_err(broken)?;
        let lost = |source| of_io(source, name, path);
        let (kept, remarks) = if inspects {
            let mut shown = Shown { content, inspection: &mut inspection };
            let kept = keeper.reader(path, size, want, &mut shown).map_err(lost)?;
            shown.rest().map_err(lost)?;
            (kept, inspection.finish())
        } else {
            (keeper.reader(path, size, want, &mut content).map_err(lost)?, None)
        };
        // What was not read to its end need not be hashed further.
        self.walker.hashed();
        Ok(Some(Outcome { kept, remarks }))
    }
}

/// An error while content was read: one of ours on its way through a reader, or the archive's end.
pub fn of_io(source: io::Error, layer: &LayerName, path: &str) -> Error {
    match source.downcast::<Error>() {
        Ok(error) => error,
        Err(source) if source.kind() == io::ErrorKind::UnexpectedEof => Error::Layer {
            layer: layer.clone(),
            at: At::Entry(path.to_owned()),
            why: "the archive ends in the middle of the file".to_owned(),
        },
        Err(source) => Error::io(format!("layer {layer}, entry {}", crate::error::shown(path)), source),
    }
}
