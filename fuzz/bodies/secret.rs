//! Any bytes as a text with secrets, and as rules of gitleaks applied to themselves: no panic, every hit inside the text
//! and in order, nothing twice, and the same text gives the same hits.

use std::sync::OnceLock;

use boltseal_check::secret::{Finder, Hit, MAX_HITS, MAX_VALUE, Rules};

/// An even first byte: the rest is searched by the built-in rules. An odd one: it is also read as rules.
pub fn body(data: &[u8]) {
    static BUILT_IN: OnceLock<Finder> = OnceLock::new();
    let [which, text @ ..] = data else { return };
    let hits = search(BUILT_IN.get_or_init(Finder::new), text);
    if which % 2 == 0 {
        return;
    }
    let Ok(rules) = Rules::parse(&String::from_utf8_lossy(text)) else { return };
    let none = rules.is_empty();
    let Ok(finder) = Finder::with(rules) else { return };
    let with_rules = search(&finder, text);
    assert!(!none || with_rules == hits, "no rules found something");
}

fn search(finder: &Finder, text: &[u8]) -> Vec<Hit> {
    let (mut hits, mut again) = (Vec::new(), Vec::new());
    finder.find("app/.env", text, &mut hits);
    finder.find("app/.env", text, &mut again);
    assert_eq!(hits, again, "the same text gave other hits");
    assert!(hits.len() <= MAX_HITS, "{} hits", hits.len());
    finder.find_named("app/.env", &mut Vec::new());
    let lines = text.split(|byte| *byte == b'\n').count();
    let mut end = 0;
    for hit in &hits {
        assert!(hit.span.start >= end && hit.span.end <= text.len(), "{hit:?} after {end} of {}", text.len());
        assert!(!hit.span.is_empty(), "{hit:?}");
        assert!(hit.span.len() <= MAX_VALUE * 2, "{hit:?}");
        assert!((1..=lines).contains(&hit.line), "{hit:?} of {lines} lines");
        end = hit.span.end;
    }
    hits
}
