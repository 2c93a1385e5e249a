//! One thing that happened.

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Record {}
