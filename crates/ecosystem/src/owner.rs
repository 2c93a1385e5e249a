//! Which operating system package a file belongs to.
use std::collections::HashMap;

/// Paths (without leading slash) and the operating system packages that brought them.
#[derive(Debug, Default)]
pub struct Owners {
    by_path: HashMap<Box<str>, Box<str>>,
}

impl Owners {
    /// The package that owns `path`.
    pub fn of(&self, path: &str) -> Option<&str> {
        self.by_path.get(path).map(AsRef::as_ref)
    }
}
