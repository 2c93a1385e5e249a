//! Facts about an image to a verdict with its reasons.
