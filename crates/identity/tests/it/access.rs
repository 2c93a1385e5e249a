//! What somebody may do: decisions, conditions, roles, edits.

mod conditions;
mod decisions;
mod documents;
mod edits;
mod explanations;
mod import;
mod lists;
mod mutations;
mod needs;
mod properties;
mod roles;
mod world;
