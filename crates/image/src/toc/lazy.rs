//! Entries out of a table of contents.

use std::ops::Range;

use boltseal_model::{Digest, Selector, Want};

use super::{
    Place, Row, Table, Unusable,
    pieces::{Content, Window},
};
use crate::{
    Error, LayerName, Limits,
    layer::{Part, Totals},
    overlay::{Ask, Entries, Inspection, Keeper, Outcome, Shown, of_io},
    tar::{Entry, Kind},
};

/// Bytes between two wanted pieces that are fetched rather than asked around: on most ways they take less time than one
/// more question.
const NEAR: u64 = 64 << 10;
/// A layer is read whole where the pieces to fetch have this many quarters of it: then its digest can be checked too.
const QUARTERS: u64 = 3;

/// A layer of which only parts are fetched.
pub struct Lazy<'a> {
    window: Window<'a>,
    table: Table,
    name: LayerName,
    digest: Digest,
    size: u64,
    taken: usize,
}

impl<'a> Lazy<'a> {
    /// Fetches the table of the layer at `place`. An error where reading all of the layer is right: nobody can give parts of
    /// it, its table cannot be used, nearly all of it is wanted, or its texts are inspected.
    pub fn open(
        place: &'a Place<'a>,
        selector: &dyn Selector,
        limits: &Limits,
        bytes: u64,
    ) -> Result<Self, Unusable> {
        let table = place.table(limits, bytes)?;
        let mut runs: Vec<Range<u64>> = Vec::new();
        for row in table.rows.iter().filter(|row| row.kind == Kind::File && row.meta.size > 0) {
            if selector.inspects(&row.path, &row.meta) {
                return Err("its texts are looked into".into());
            }
            if selector.want(&row.path, &row.meta) == Want::Skip {
                continue;
            }
            for piece in &row.pieces {
                match runs.last_mut().filter(|run| piece.from - run.end <= NEAR) {
                    Some(run) => run.end = piece.to,
                    None => runs.push(piece.from..piece.to),
                }
            }
        }
        let wanted: u64 = runs.iter().map(|run| run.end - run.start).sum();
        if wanted.saturating_mul(4) >= place.size.saturating_mul(QUARTERS) {
            return Err("most of it is wanted".into());
        }
        let name = LayerName::Digest(place.digest.clone());
        let (digest, size) = (place.digest.clone(), place.size);
        Ok(Self { window: Window::new(place, runs), table, name, digest, size, taken: 0 })
    }

    /// Bytes of the files in it.
    pub const fn archive(&self) -> u64 {
        self.table.bytes
    }

    /// Bytes of it as stored.
    pub const fn blob(&self) -> u64 {
        self.size
    }

    /// What the manifest and the configuration say about it.
    pub fn promised(&self, part: &Part<'_>) -> Totals {
        Totals {
            digest: self.digest.clone(),
            diff_id: part.diff_id.clone().unwrap_or_else(|| self.digest.clone()),
            stored: self.size,
            archive: self.table.bytes,
        }
    }

    fn row(&self) -> Option<&Row> {
        self.table.rows.get(self.taken.checked_sub(1)?)
    }
}

impl Entries for Lazy<'_> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        self.taken += 1;
        Ok(self.row().map(Row::entry))
    }

    fn headers(&self) -> u64 {
        self.taken.min(self.table.rows.len()) as u64
    }

    fn ended(&self) -> bool {
        true
    }

    fn keep(
        &mut self,
        entry: &mut Entry,
        ask: Ask<'_>,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Outcome>, Error> {
        let Ask { path, want, inspects } = ask;
        let Some(row) = self.taken.checked_sub(1).and_then(|at| self.table.rows.get(at)) else {
            return Ok(None);
        };
        let lost = |source| of_io(source, &self.name, path);
        let mut content = Content::new(&mut self.window, &row.pieces);
        if !inspects {
            let kept = keeper.reader(path, entry.meta.size, want, &mut content).map_err(lost)?;
            content.finish().map_err(lost)?;
            return Ok(Some(Outcome { kept, remarks: None }));
        }
        let mut inspection = Inspection::new(keeper.selector(), path);
        let mut shown = Shown { content, inspection: &mut inspection };
        let kept = keeper.reader(path, entry.meta.size, want, &mut shown).map_err(lost)?;
        shown.rest().map_err(lost)?;
        shown.content.finish().map_err(lost)?;
        Ok(Some(Outcome { kept, remarks: inspection.finish() }))
    }
}
