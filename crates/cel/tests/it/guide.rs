//! The guide lists every function.

use boltseal_cel::names;

#[test]
fn the_guide_lists_every_function() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/guide/cel.md");
    let guide = std::fs::read_to_string(path).unwrap();
    let lists = |name: &str| guide.contains(&format!("`{name}")) || guide.contains(&format!("`.{name}"));
    let mut missing: Vec<&str> = names().map(|(name, _)| name).filter(|name| !lists(name)).collect();
    missing.dedup();
    assert!(missing.is_empty(), "docs/guide/cel.md does not list {}", missing.join(", "));
}
