//! One folder per package ecosystem: detect, parse, compare versions, map to feeds.
