//! Rules about every Rust file: a front page, a readable size, an honest name, no silenced lints, no stubs.

use std::path::Path;

use anyhow::Result;

/// Lines without tests; above it a file has become two.
const MAX_LINES: usize = 800;
/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["util", "utils", "common", "helper", "helpers", "manager", "misc"];

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in super::files(root, ".rs")? {
        let shown = super::shown(root, &path);
        let text = super::read(&path)?;
        found.extend(breaches(&shown, &text).into_iter().map(|breach| format!("{shown}: {breach}")));
    }
    Ok(found)
}

fn breaches(path: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    if !text.trim_start().starts_with("//!") {
        found.push("no front page: begin the file with `//!` and say what it is for".to_owned());
    }
    let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count();
    if lines > MAX_LINES && !path.contains("/tests/") {
        found.push(format!("{lines} lines without tests; at most {MAX_LINES}: split it"));
    }
    if let Some(name) = path.split(['/', '.']).find(|part| EMPTY_NAMES.contains(part)) {
        found.push(format!("`{name}` says nothing: name it after what it holds"));
    }
    for (number, line) in text.lines().enumerate() {
        let code = line.trim_start();
        let is_words = code.starts_with("//") || code.contains('"');
        if code.starts_with("#[allow(") || code.starts_with("#![allow(") {
            found.push(format!("line {}: use #[expect(…, reason = \"…\")]", number + 1));
        }
        if !is_words && (code.contains("todo!(") || code.contains("unimplemented!(")) {
            found.push(format!("line {}: unfinished", number + 1));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_breach_once() {
        let long = format!("//! x\n{}", "fn a() {}\n".repeat(900));
        for (path, text, wanted) in [
            ("a/b.rs", "fn a() {}", "no front page"),
            ("a/b.rs", long.as_str(), "901 lines"),
            ("a/util.rs", "//! x\n", "`util` says nothing"),
            ("a/b.rs", "//! x\n#[allow(unused)]\n", "line 2: use #[expect"),
            ("a/b.rs", "//! x\nfn a() { todo!() }\n", "line 2: unfinished"),
        ] {
            let found = breaches(path, text);
            assert_eq!(found.len(), 1, "{path}: {found:?}");
            assert!(found.iter().all(|f| f.contains(wanted)), "{found:?} lacks {wanted}");
        }
        assert!(breaches("a/b.rs", "//! x\nfn a() {}\n").is_empty());
    }
}
