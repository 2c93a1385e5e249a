//! The examples that other tools' rules come with.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_check::secret::{Confidence, Finder, Hit, Rules};
use serde_json::Value;

struct Example {
    rule: String,
    path: String,
    text: Vec<u8>,
    secret: bool,
}

fn examples(name: &str) -> Option<Vec<Example>> {
    let file = boltseal_testkit::shared(&format!("data/secrets/labelled/{name}.jsonl"))?;
    let read = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        Example {
            rule: row["rule"].as_str().unwrap().to_owned(),
            path: row["path"].as_str().unwrap_or_default().to_owned(),
            text: STANDARD.decode(row["text_b64"].as_str().unwrap()).unwrap(),
            secret: row["label"] == "T",
        }
    };
    Some(fs::read_to_string(file).unwrap().lines().map(read).collect())
}

fn hits(finder: &Finder, example: &Example) -> Vec<Hit> {
    let mut hits = Vec::new();
    finder.find(&example.path, &example.text, &mut hits);
    hits.retain(|hit| hit.confidence >= Confidence::Medium);
    hits
}

fn gitleaks_rules() -> Option<Rules> {
    let file = fs::File::open(boltseal_testkit::shared("data/secrets/rules/gitleaks.toml.zst")?).unwrap();
    let text = zstd::decode_all(file).unwrap();
    Some(Rules::parse(std::str::from_utf8(&text).unwrap()).unwrap())
}

/// Labelled literals were cut out of the code that generates the rules, so some are no examples: expressions, lengths,
/// halves of a concatenation. And a rule of `generic-api-key` may win over another at the same place.
const NO_EXAMPLES: usize = 30;

#[test]
fn rules_of_gitleaks_say_what_they_say_there() {
    let Some(rules) = gitleaks_rules() else { return };
    assert_eq!(rules.len(), 222);
    let finder = Finder::with(rules).unwrap();
    let (mut right, mut wrong) = (0, Vec::new());
    for example in examples("gitleaks-literals").unwrap() {
        let mut all = Vec::new();
        finder.find(&example.path, &example.text, &mut all);
        if all.iter().any(|hit| hit.rule == example.rule) == example.secret {
            right += 1;
        } else {
            let text: String = String::from_utf8_lossy(&example.text).chars().take(60).collect();
            wrong.push(format!("{} {text:?}: secret {}", example.rule, example.secret));
        }
    }
    println!("{right} right, {} otherwise", wrong.len());
    assert!(wrong.len() <= NO_EXAMPLES, "{wrong:#?}");
}

#[test]
fn built_in_rules_on_examples() {
    // Examples of rules: many are placeholders (`abcdef123456`) or bare identifiers, which we leave out on purpose.
    for (name, least) in
        [("gitleaks-literals", 60), ("noseyparker-examples", 230), ("kingfisher-examples", 425)]
    {
        let Some(examples) = examples(name) else { return };
        let finder = Finder::new();
        let hit = |example: &&Example| example.secret && !hits(&finder, example).is_empty();
        let (found, all) =
            (examples.iter().filter(hit).count(), examples.iter().filter(|example| example.secret).count());
        println!("{name}: {found} of {all}");
        assert!(found >= least, "{name}: {found} of {all}");
    }
}
