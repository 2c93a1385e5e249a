//! Photon OS: `cve_data_photonN.json`, an array of facts about one package and one CVE each.
//!
//! Source: <https://packages.vmware.com/photon/photon_cve_metadata/>. The file does not say which release it is of; the tag of
//! its versions does (`.ph4`), otherwise its name.

use std::collections::BTreeMap;

use boltseal_model::{Advisory, Severity, Status};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Document, Format, Tally, is_cve};
use crate::{Error, Sink, limits, rpm};

/// The format.
pub struct Photon;

const ID: &str = "photon";

#[derive(Deserialize)]
struct Fact {
    cve_id: String,
    pkg: String,
    #[serde(default)]
    cve_score: Option<f64>,
    #[serde(default)]
    res_ver: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

impl Format for Photon {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Photon OS: cve_data_photon*.json"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        head.trim_ascii_start().starts_with(b"[")
            && has(b"\"cve_id\"")
            && has(b"\"res_ver\"")
            && has(b"\"pkg\"")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let bytes = document.whole(limits::MAX_RECORD_BYTES, ID)?;
        let values: Vec<&RawValue> =
            serde_json::from_slice(&bytes).map_err(|error| Error::broken(document.name, ID, error))?;
        let mut tally = Tally::default();
        let mut facts: Vec<Fact> = Vec::with_capacity(values.len());
        for value in values {
            match serde_json::from_str::<Fact>(value.get()) {
                Ok(fact) if fact.cve_id.is_empty() || fact.pkg.is_empty() => {
                    tally.reject(sink, document.name, "no CVE, or no package");
                }
                Ok(fact) => facts.push(fact),
                Err(error) => tally.reject(sink, document.name, &error.to_string()),
            }
        }
        let Some(space) = space(&facts, document.name, feed) else {
            for _ in &facts {
                tally.unsupported("Photon OS of an unknown release");
            }
            return Ok(tally);
        };
        tally.feed = space.split_once(':').map(|(_, release)| release.to_owned());
        let mut by_cve: BTreeMap<String, (rpm::Gathered, f64)> = BTreeMap::new();
        for fact in facts {
            take(fact, &space, &mut by_cve, sink, &mut tally);
        }
        for (id, (gathered, score)) in by_cve {
            tally.spaces.insert(space.clone());
            sink.advisory(Advisory {
                references: if is_cve(&id) {
                    vec![format!("https://www.cve.org/CVERecord?id={id}")]
                } else {
                    Vec::new()
                },
                id,
                feed: feed.to_owned(),
                severity: (score > 0.0).then(|| Severity::of_score(score)),
                affected: gathered.affected(),
                ..Advisory::default()
            });
        }
        Ok(tally)
    }
}

fn space(facts: &[Fact], name: &str, feed: &str) -> Option<String> {
    let tagged = facts.iter().find_map(|fact| rpm::tag_space(fact.res_ver.as_deref()?));
    // `cve_data_photon4.0.json`; once stored, only the id of the feed still says it.
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let last = name.rsplit('/').next().unwrap_or_default();
    let words = [last.split_once("cve_data_photon").map(|(_, rest)| rest), feed.strip_prefix("photon:")];
    let named =
        words.into_iter().flatten().map(digits).find(|release| !release.is_empty() && release.len() < 3);
    tagged.or_else(|| named.map(|release| format!("photon:{release}")))
}

fn take(
    fact: Fact,
    space: &str,
    by_cve: &mut BTreeMap<String, (rpm::Gathered, f64)>,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) {
    let fixed =
        fact.res_ver.as_deref().map(str::trim).filter(|version| !version.is_empty() && *version != "NA");
    let status = match (fact.status.as_deref().unwrap_or("Fixed"), fixed) {
        ("Not Affected", _) => Status::NotAffected,
        // Fixed, and not said in which version: nobody can tell.
        ("Fixed", None) => Status::UnderInvestigation,
        ("Fixed" | "Affected" | "Not Fixed" | "In Progress", _) => Status::Affected,
        (other, _) => {
            let why = format!("unknown status `{}`", super::cut(other, 40));
            return tally.reject(sink, &format!("{} {}", fact.pkg, super::cut(&fact.cve_id, 60)), &why);
        }
    };
    tally.records += 1;
    let span = rpm::Span {
        fixed: fixed.filter(|_| status == Status::Affected).map(str::to_owned),
        ..rpm::Span::default()
    };
    let key = rpm::Key { space: space.to_owned(), package: fact.pkg, status };
    let (gathered, score) = by_cve.entry(fact.cve_id).or_default();
    *score = score.max(fact.cve_score.unwrap_or(0.0).clamp(0.0, 10.0));
    gathered.add(key, span, "");
}
