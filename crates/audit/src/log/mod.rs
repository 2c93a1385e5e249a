//! The tree, its tiles, checkpoints and proofs.
