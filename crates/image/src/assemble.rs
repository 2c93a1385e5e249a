//! From layers in order to the tree.

use boltseal_model::{Gap, GapKind, Layer, Selector, Tree};

use crate::{
    Error, LayerName, Options,
    layer::{self, Budget, Part},
    overlay::Overlay,
};

/// A layer and how it came to be.
pub struct Step<'a> {
    pub part: Part<'a>,
    pub created_by: Option<String>,
    /// Why the layer cannot be read, if that is known beforehand.
    pub unread: Option<String>,
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
    let mut overlay = Overlay::new(selector, limits);
    let mut layers = Vec::new();
    let mut bytes = 0u64;
    for (number, step) in (0u32..).zip(steps) {
        let part = &step.part;
        if let Some(why) = &step.unread {
            overlay.gap(Gap::new(GapKind::LayerNotRead, part.name.to_string(), why.as_str()));
            layers.push(Layer {
                digest: part.digest.clone(),
                diff_id: part.diff_id.clone(),
                size: part.size.unwrap_or(0),
                created_by: step.created_by.clone(),
            });
            continue;
        }
        let budget = Budget { limits, bytes: limits.bytes.saturating_sub(bytes), progress: options.progress };
        let (ended, totals) = layer::read(part, budget, |stream| overlay.apply(number, &part.name, stream))?;
        if !ended && part.diff_id.is_none() {
            // No digest vouches for it either.
            let why = "the archive has no end: it may be cut off, and files may be missing";
            overlay.gap(Gap::new(GapKind::LayerNotRead, part.name.to_string(), why));
        }
        bytes += totals.archive;
        layers.push(Layer {
            digest: Some(totals.digest),
            diff_id: Some(totals.diff_id),
            size: totals.stored,
            created_by: step.created_by.clone(),
        });
    }
    fetch_links(&mut overlay, steps, options)?;
    if let Some(progress) = options.progress {
        progress.end();
    }
    Ok(overlay.finish(layers, bytes))
}

/// At most one more pass over each layer, from the top down, while links are pending.
fn fetch_links(overlay: &mut Overlay<'_>, steps: &[Step<'_>], options: &Options<'_>) -> Result<(), Error> {
    let limits = &options.limits;
    let mut below = u32::MAX;
    while let Some(number) = overlay.pending(below) {
        if let Some(step) = steps.get(number as usize).filter(|step| step.unread.is_none()) {
            let budget = Budget { limits, bytes: limits.bytes, progress: None };
            let name: &LayerName = &step.part.name;
            layer::read(&step.part, budget, |stream| overlay.fetch(number, name, stream))?;
        }
        let Some(next) = number.checked_sub(1) else { break };
        below = next;
    }
    overlay.give_up();
    Ok(())
}
