//! The union of what every ecosystem wants from an image.

use boltseal_model::{FileMeta, Selector, Want};

use crate::{ALL, distro, executable, lock};

/// Asks all ecosystems, and keeps what names the distribution.
///
/// `Distilled` is asked without regard to size: a caller that cannot afford a large executable says so with a
/// [`GapKind::LimitReached`](boltseal_model::GapKind) gap, because only it can.
pub struct Everything;

impl Selector for Everything {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        if distro::wants(path) {
            return Want::Whole;
        }
        let mut answer = Want::Skip;
        for ecosystem in ALL {
            match ecosystem.want(path, meta) {
                Want::Whole => return Want::Whole,
                Want::Distilled => answer = Want::Distilled,
                Want::Skip | Want::Hashed => {}
            }
        }
        if distro::is_userland(path) { Want::Distilled } else { answer }
    }

    fn want_in_folder(&self, path: &str, meta: &FileMeta) -> Want {
        if lock::reader(path).is_some() { Want::Whole } else { self.want(path, meta) }
    }

    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let mut records = executable::Records::default();
        let mut problems = Vec::new();
        for ecosystem in ALL {
            match ecosystem.distill(path, bytes) {
                Ok(Some(record)) => records.push(ecosystem.id(), &record),
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        if distro::is_userland(path) {
            records.push(distro::USERLAND, &[]);
        }
        if problems.is_empty() { Ok(records.finish()) } else { Err(problems.join("; ")) }
    }
}
