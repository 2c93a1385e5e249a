//! From layers in order to the tree.

use boltseal_model::{Gap, GapKind, Layer, Selector, Tree};

use crate::{
    Error, Options,
    extract::{Extract, Made, Recording, Replay},
    layer::{self, Budget, Part, Totals},
    overlay::{Archived, Entries, Overlay, Stop},
    toc::{Lazy, Place, Unusable},
};

/// A layer and how it came to be.
pub struct Step<'a> {
    pub part: Part<'a>,
    pub created_by: Option<String>,
    /// Why the layer cannot be read, if that is known beforehand.
    pub unread: Option<String>,
    /// Where its table of contents is, if it has one and the caller wants to read by it.
    pub table: Option<Place<'a>>,
}

/// Reads all layers, bottom first, and keeps what `selector` wants.
pub fn assemble(steps: &[Step<'_>], selector: &dyn Selector, options: &Options<'_>) -> Result<Tree, Error> {
    let limits = &options.limits;
    if steps.len() > limits.layers {
        return Err(Error::malformed(
            "image",
            format!("has {} layers, more than {}", steps.len(), limits.layers),
        ));
    }
    if let Some(progress) = options.progress {
        progress.begin(steps.len(), steps.iter().map(|step| step.part.size).sum());
    }
    if let Some(sink) = options.unpacks {
        let tree = sink.assemble(steps, options)?;
        if let Some(progress) = options.progress {
            progress.end();
        }
        return Ok(tree);
    }
    let mut assembly = Assembly { overlay: Overlay::new(selector, limits), selector, options, bytes: 0 };
    let mut layers = Vec::new();
    for (number, step) in (0u32..).zip(steps) {
        let totals = match &step.unread {
            Some(why) => {
                assembly.not_read(&step.part, why);
                None
            }
            None => Some(assembly.apply(number, step)?),
        };
        layers.push(step.layer(totals));
    }
    assembly.fetch_links(steps)?;
    if let Some(progress) = options.progress {
        progress.end();
    }
    Ok(assembly.overlay.finish(layers, assembly.bytes))
}

impl Step<'_> {
    /// As the tree lists it: what was found, or what is promised of a layer that was not read to its end.
    pub(crate) fn layer(&self, totals: Option<Totals>) -> Layer {
        let created_by = self.created_by.clone();
        match totals {
            Some(totals) => Layer {
                digest: Some(totals.digest),
                diff_id: Some(totals.diff_id),
                size: totals.stored,
                created_by,
            },
            None => Layer {
                digest: self.part.digest.clone(),
                diff_id: self.part.diff_id.clone(),
                size: self.part.size.unwrap_or(0),
                created_by,
            },
        }
    }
}

/// An image that is being put together.
struct Assembly<'a> {
    overlay: Overlay<'a>,
    selector: &'a dyn Selector,
    options: &'a Options<'a>,
    /// Of all archives so far.
    bytes: u64,
}

impl<'a> Assembly<'a> {
    /// Puts one layer on top, from the cheapest place that has it.
    fn apply(&mut self, number: u32, step: &Step<'_>) -> Result<Totals, Error> {
        let part = &step.part;
        let extract = self.extract(part);
        let known =
            extract.as_ref().and_then(|extract| Some((extract, self.affordable(extract.totals(part)?)?)));
        let mut pause = None;
        if let Some((extract, totals)) = known {
            match self.overlay.apply(number, &part.name, &mut Replay::new(extract)) {
                Ok(_) => {
                    self.bytes += totals.archive;
                    self.advance(totals.stored);
                    return Ok(totals);
                }
                Err(Stop::Missing(at)) => pause = Some(at),
                Err(Stop::Failed(error)) => return Err(error),
            }
        } else if let Some(place) = &step.table
            && let Some(mut lazy) = self.lazy(place)
        {
            return self.apply_lazily(number, part, &mut lazy);
        }
        let budget = self.budget(self.left());
        let overlay = &mut self.overlay;
        let (ended, totals) = read(part, budget, self.options, extract.as_ref(), |entries| match &pause {
            Some(pause) => overlay.resume(pause, entries),
            None => overlay.apply(number, &part.name, entries),
        })?;
        if !ended && part.diff_id.is_none() {
            // No digest vouches for it either.
            self.not_read(part, "the archive has no end: it may be cut off, and files may be missing");
        }
        self.bytes += totals.archive;
        Ok(totals)
    }

    /// Puts one layer on top by its table of contents. What that does not tell is a gap.
    fn apply_lazily(&mut self, number: u32, part: &Part<'_>, lazy: &mut Lazy<'_>) -> Result<Totals, Error> {
        self.overlay.apply(number, &part.name, lazy).map_err(Stop::into_error)?;
        let why = "read through its table of contents, as asked: its digest was not checked, and what the table \
                   does not list was not seen; scan without --lazy to read all of it";
        self.overlay.gap(Gap::new(GapKind::LayerNotVerified, part.name.to_string(), why));
        self.bytes += lazy.archive();
        self.advance(lazy.blob());
        Ok(lazy.promised(part))
    }

    /// At most one more pass over each layer, from the top down, while links are pending.
    fn fetch_links(&mut self, steps: &[Step<'_>]) -> Result<(), Error> {
        let mut below = u32::MAX;
        while let Some(number) = self.overlay.pending(below) {
            if let Some(step) = steps.get(number as usize).filter(|step| step.unread.is_none()) {
                self.fetch(number, step)?;
            }
            let Some(next) = number.checked_sub(1) else { break };
            below = next;
        }
        self.overlay.give_up();
        Ok(())
    }

    fn fetch(&mut self, number: u32, step: &Step<'_>) -> Result<(), Error> {
        let part = &step.part;
        let extract = self.extract(part);
        if let Some(extract) = extract.as_ref().filter(|extract| extract.totals(part).is_some()) {
            match self.overlay.fetch(number, &part.name, &mut Replay::new(extract)) {
                Ok(()) => return Ok(()),
                Err(Stop::Missing(_)) => {}
                Err(Stop::Failed(error)) => return Err(error),
            }
        } else if let Some(place) = &step.table
            && let Some(mut lazy) = self.lazy(place)
        {
            return self.overlay.fetch(number, &part.name, &mut lazy).map_err(Stop::into_error);
        }
        let budget = Budget { progress: None, ..self.budget(self.options.limits.bytes) };
        let overlay = &mut self.overlay;
        read(part, budget, self.options, extract.as_ref(), |entries| {
            overlay.fetch(number, &part.name, entries)
        })?;
        Ok(())
    }

    /// What is remembered of the archive, whether for these stored bytes or others.
    fn extract(&self, part: &Part<'_>) -> Option<Extract> {
        let diff_id = part.diff_id.as_ref()?;
        let packed = self.options.extracts?.get(diff_id)?;
        Extract::open(&packed, &self.options.limits).filter(|extract| extract.is_of(diff_id))
    }

    /// `None` where the image would grow too large: reading tells where.
    fn affordable(&self, totals: Totals) -> Option<Totals> {
        (totals.archive <= self.left()).then_some(totals)
    }

    fn lazy<'p>(&self, place: &'p Place<'p>) -> Option<Lazy<'p>> {
        let told = |why: &Unusable| {
            if let Some(progress) = self.options.progress {
                progress.whole(&place.name(), &why.to_string());
            }
        };
        Lazy::open(place, self.selector, &self.options.limits, self.left()).inspect_err(told).ok()
    }

    fn left(&self) -> u64 {
        self.options.limits.bytes.saturating_sub(self.bytes)
    }

    const fn budget(&self, bytes: u64) -> Budget<'a> {
        Budget { limits: &self.options.limits, bytes, progress: self.options.progress }
    }

    fn advance(&self, bytes: u64) {
        if let Some(progress) = self.options.progress {
            progress.advance(bytes);
        }
    }

    fn not_read(&mut self, part: &Part<'_>, why: &str) {
        self.overlay.gap(Gap::new(GapKind::LayerNotRead, part.name.to_string(), why));
    }
}

/// Reads `part` whole, and remembers what it gave where somebody wants to: `older` is what was known before.
fn read<T>(
    part: &Part<'_>,
    budget: Budget<'_>,
    options: &Options<'_>,
    older: Option<&Extract>,
    consume: impl FnOnce(&mut dyn Entries) -> Result<T, Stop>,
) -> Result<(T, Totals), Error> {
    let limits = budget.limits;
    // An archive of which nobody promised a digest could not be told from another later on.
    let extracts = options.extracts.filter(|_| part.diff_id.is_some() && !options.lazy);
    let ((result, made), totals) = layer::read(part, budget, |stream| {
        let mut archived = Archived::new(stream, limits, &part.name);
        if extracts.is_none() {
            return Ok((consume(&mut archived).map_err(Stop::into_error)?, None));
        }
        let mut recording = Recording::new(&mut archived);
        let result = consume(&mut recording).map_err(Stop::into_error)?;
        Ok((result, recording.finish()))
    })?;
    let made: Option<Made> = made;
    if let (Some(extracts), Some(made)) = (extracts, made)
        && let Some(packed) = Extract::new(made, &totals, older).packed(limits)
    {
        extracts.put(&totals.diff_id, &packed);
    }
    Ok((result, totals))
}
