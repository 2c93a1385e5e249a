//! YAML of people, read with bounds.

use serde::de::DeserializeOwned;
use serde_saphyr::options;

use super::{IgnoreError, MAX_TEXT, rule::shown};

/// These files have four levels; more is an attempt to exhaust the stack.
const MAX_DEPTH: usize = 16;
/// Anchors save typing, not more; the rest is an alias bomb.
const MAX_ALIASES: usize = 100;
/// Ten values an entry.
const MAX_NODES: usize = 1_000_000;

pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, IgnoreError> {
    let options = options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! {
            max_depth: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
            max_nodes: MAX_NODES,
            max_aliases: MAX_ALIASES,
            max_anchors: MAX_ALIASES,
            max_documents: 1,
            max_total_scalar_bytes: MAX_TEXT,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: MAX_NODES,
            max_replay_stack_depth: MAX_DEPTH,
        },
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|wrong| IgnoreError::Value(shown_long(&wrong.without_snippet().to_string())))
}

fn shown_long(text: &str) -> String {
    let parts: Vec<String> = text.split_whitespace().map(shown).collect();
    parts.join(" ").chars().take(300).collect()
}
