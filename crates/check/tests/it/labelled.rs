//! Scores on lines that people labelled, split by repository.
//!
//! In the data, true values were replaced by chance of the same shape, so that nothing leaks; that makes them easier to
//! tell from examples than real passwords are. What is scored is a line: found or not.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_check::secret::{Confidence, Finder};
use serde_json::Value;

/// Repositories on which the rules were tuned; the others were only ever scored.
const TUNED: &[&str] =
    &["cloudfoundry/credhub", "docker/awesome-compose", "laradock/laradock", "timdorr/tesla-api", "xo/usql"];

#[derive(Default)]
struct Score {
    hit: u32,
    missed: u32,
    alarms: u32,
}

impl Score {
    fn count(&mut self, secret: bool, found: bool) {
        match (secret, found) {
            (true, true) => self.hit += 1,
            (true, false) => self.missed += 1,
            (false, true) => self.alarms += 1,
            (false, false) => {}
        }
    }

    fn precision(&self) -> f64 {
        f64::from(self.hit) / f64::from(self.hit + self.alarms)
    }

    fn recall(&self) -> f64 {
        f64::from(self.hit) / f64::from(self.hit + self.missed)
    }

    fn f1(&self) -> f64 {
        2.0 * self.precision() * self.recall() / (self.precision() + self.recall())
    }
}

#[test]
fn labelled_lines() {
    let Some(file) = boltseal_testkit::shared("data/secrets/labelled/creddata-lines.jsonl") else { return };
    let finder = Finder::new();
    let (mut tuned, mut held) = (Score::default(), Score::default());
    for row in fs::read_to_string(file).unwrap().lines() {
        let row: Value = serde_json::from_str(row).unwrap();
        let found = is_found(&finder, &row);
        let repository = row["repo"].as_str().unwrap();
        let score = if TUNED.contains(&repository) { &mut tuned } else { &mut held };
        score.count(row["label"] == "T", found);
    }
    for (name, score) in [("tuned", &tuned), ("held out", &held)] {
        let Score { hit, missed, alarms } = score;
        let (precision, recall, f1) = (score.precision(), score.recall(), score.f1());
        println!("{name}: {hit} hit, {missed} missed, {alarms} false alarms");
        println!("{name}: precision {precision:.3}, recall {recall:.3}, F1 {f1:.3}");
        assert!(precision >= 0.80 && f1 >= 0.60, "{name}: precision {precision}, F1 {f1}");
    }
}

/// Whether something is found within the labelled line; its neighbours are context.
fn is_found(finder: &Finder, row: &Value) -> bool {
    let field = |name: &str| STANDARD.decode(row[name].as_str().unwrap_or_default()).unwrap();
    let (before, line, after) = (field("before_b64"), field("text_b64"), field("after_b64"));
    let (from, to) = (before.len() + 1, before.len() + 1 + line.len());
    let mut hits = Vec::new();
    finder.find(
        row["path"].as_str().unwrap(),
        &[&before[..], b"\n", &line, b"\n", &after].concat(),
        &mut hits,
    );
    hits.iter().any(|hit| hit.confidence >= Confidence::Medium && hit.span.start < to && hit.span.end > from)
}
