//! Any bytes as a message between a container and whoever sits at it: what is read says what was written, in both directions.

use boltseal_runtime::start::attend::{Shown, Typed};

/// Reads `bytes`.
pub fn body(bytes: &[u8]) {
    if let Some(typed) = Typed::read(bytes) {
        assert_eq!(typed.write(), bytes);
    }
    if let Some(shown) = Shown::read(bytes) {
        assert_eq!(shown.write(), bytes);
    }
}
