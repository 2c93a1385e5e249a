//! What documents say, held against the findings of a report.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use boltseal_model::{Digest, Finding, Ignored, Report, Statement, Timestamp, VexStatus};

use super::{
    Claim, Document, Origin,
    product::{Aim, Fit, Place},
};

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Findings that moved to `omitted.ignored`.
    pub set_aside: usize,
    /// Findings that stay, with statements beside them.
    pub annotated: usize,
    /// Claims of all documents.
    pub claims: usize,
    /// Claims about no finding of the report: other products, or nothing was found.
    pub unused: usize,
}

/// Moves the findings that do no harm to `omitted.ignored`, and notes beside each finding what is said about it. `also` are
/// digests of the image besides those in the report: of the index that it was chosen from.
pub fn apply(documents: &[Document], report: &mut Report, also: &[Digest]) -> Applied {
    let current = current(documents);
    let claims: Vec<(&Document, &Claim)> = current
        .iter()
        .flat_map(|document| document.claims.iter().map(move |claim| (*document, claim)))
        .collect();
    let mut by_id: HashMap<String, Vec<usize>> = HashMap::new();
    for (index, (_, claim)) in claims.iter().enumerate() {
        for id in &claim.vulnerabilities {
            by_id.entry(id.trim().to_ascii_lowercase()).or_default().push(index);
        }
    }
    let (told, used) = {
        let place = Place::of(report, also);
        let mut heard = Heard { claims: &claims, by_id, place, aims: HashMap::new(), used: HashSet::new() };
        let told: Vec<Vec<Statement>> = report.findings.iter().map(|finding| heard.about(finding)).collect();
        (told, heard.used.len())
    };
    let mut applied = Applied { claims: claims.len(), unused: claims.len() - used, ..Applied::default() };
    let mut kept = Vec::with_capacity(report.findings.len());
    for (mut finding, statements) in std::mem::take(&mut report.findings).into_iter().zip(told) {
        let deciding = deciding(&statements).cloned();
        applied.annotated += usize::from(deciding.is_none() && !statements.is_empty());
        finding.statements = statements;
        match deciding {
            None => kept.push(finding),
            Some(statement) => {
                applied.set_aside += 1;
                let reason = statement.reason.clone().or_else(|| statement.justification.clone());
                report.omitted.ignored.push(Ignored {
                    finding,
                    reason,
                    until: None,
                    statement: Some(statement),
                });
            }
        }
    }
    report.findings = kept;
    applied
}

/// Of several editions of a document the last.
fn current(documents: &[Document]) -> Vec<&Document> {
    let mut last: BTreeMap<(Origin, &str, &str), (u64, Option<Timestamp>)> = BTreeMap::new();
    let key = |document: &'_ Document| (document.version, document.changed);
    for document in documents.iter().filter(|document| !document.id.is_empty()) {
        let edition = last.entry((document.origin, &document.author, &document.id)).or_default();
        *edition = (*edition).max(key(document));
    }
    let is_last = |document: &&Document| {
        document.id.is_empty()
            || last.get(&(document.origin, document.author.as_str(), document.id.as_str()))
                == Some(&key(document))
    };
    documents.iter().filter(is_last).collect()
}

/// Later counts more, then closer, then more careful.
type Weight = (Option<Timestamp>, Fit, VexStatus);

/// Everything that is said, and what of it was about something.
struct Heard<'a> {
    claims: &'a [(&'a Document, &'a Claim)],
    by_id: HashMap<String, Vec<usize>>,
    place: Place<'a>,
    aims: HashMap<usize, Aim<'a>>,
    used: HashSet<usize>,
}

impl Heard<'_> {
    /// The latest word of each author about `finding`, the most careful first.
    fn about(&mut self, finding: &Finding) -> Vec<Statement> {
        let ids = std::iter::once(&finding.id).chain(&finding.aliases);
        let mut found: Vec<usize> =
            ids.filter_map(|id| self.by_id.get(&id.to_ascii_lowercase())).flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        let mut words: BTreeMap<(Reverse<Origin>, String), (Weight, &Statement)> = BTreeMap::new();
        for index in found {
            let Some((document, claim)) = self.claims.get(index) else { continue };
            let aim = self.aims.entry(index).or_insert_with(|| self.place.aim(&claim.products));
            let Some(fit) = self.place.fit(aim, finding) else { continue };
            self.used.insert(index);
            let statement = &claim.statement;
            let weight = (statement.said, fit, statement.status);
            let author = (Reverse(document.origin), statement.author.to_lowercase());
            let word = words.entry(author).or_insert((weight, statement));
            if weight > word.0 {
                *word = (weight, statement);
            }
        }
        let mut statements: Vec<Statement> =
            words.into_values().map(|(_, statement)| statement.clone()).collect();
        statements.sort_by_key(|statement| Reverse((statement.status, statement.said)));
        statements
    }
}

/// The statement by which the finding does no harm: the latest, if nobody says that it does.
fn deciding(statements: &[Statement]) -> Option<&Statement> {
    if statements.iter().any(|statement| statement.status == VexStatus::Affected) {
        return None;
    }
    statements
        .iter()
        .filter(|statement| statement.status.is_harmless())
        .max_by_key(|statement| statement.said)
}
