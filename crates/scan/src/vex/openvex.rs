//! OpenVEX 0.2.0 (<https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md>), and 0.0.1, in which names stood where
//! 0.2.0 has objects.

use std::{collections::BTreeMap, sync::Arc};

use boltseal_model::{Statement, Timestamp, VexStatus};
use serde::Deserialize;

use super::{
    Budget, Claim, Document, Error, Kind, Origin, Product, Thing, error::field, moment, parse, text,
};

/// What `@context` begins with, in every version.
pub(super) const CONTEXT: &str = "https://openvex.dev/ns";
/// Why something is not affected (section "Status Justifications").
pub const JUSTIFICATIONS: [&str; 5] = [
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

#[derive(Deserialize)]
struct Whole {
    #[serde(rename = "@context")]
    context: String,
    #[serde(rename = "@id", default)]
    id: String,
    #[serde(default)]
    author: String,
    #[serde(default)]
    timestamp: String,
    #[serde(default)]
    last_updated: String,
    #[serde(default)]
    version: Edition,
    #[serde(default)]
    statements: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Edition {
    Number(u64),
    Text(String),
}

impl Default for Edition {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    vulnerability: Option<Vulnerability>,
    timestamp: String,
    last_updated: String,
    products: Vec<Named>,
    /// Of 0.0.1.
    subcomponents: Vec<Named>,
    status: String,
    justification: String,
    impact_statement: String,
    action_statement: String,
    status_notes: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Vulnerability {
    Name(String),
    Whole(Described),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    #[serde(rename = "@id")]
    id: String,
    name: String,
    aliases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Named {
    Name(String),
    Whole(Component),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Component {
    #[serde(rename = "@id")]
    id: String,
    identifiers: BTreeMap<String, String>,
    hashes: BTreeMap<String, String>,
    subcomponents: Vec<Named>,
}

pub(super) fn read(bytes: &[u8], source: &str) -> Result<Document, Error> {
    let whole: Whole = parse(bytes, source)?;
    if !whole.context.starts_with(CONTEXT) {
        return Err(Error::NotVex { source_name: source.to_owned() });
    }
    if whole.author.trim().is_empty() {
        return Err(field(source, "author", "a document must say who speaks"));
    }
    let written = moment(&whole.timestamp, source, "timestamp")?;
    let changed = moment(&whole.last_updated, source, "last_updated")?.or(written);
    let mut document = Document {
        kind: Kind::OpenVex,
        origin: Origin::Attached,
        source: source.to_owned(),
        author: text(&whole.author).unwrap_or_default(),
        version: match &whole.version {
            Edition::Number(number) => *number,
            Edition::Text(text) => text.parse().unwrap_or_default(),
        },
        changed,
        claims: Vec::new(),
        unsound: Vec::new(),
        id: whole.id,
    };
    let mut budget = Budget::new(source);
    for (index, said) in whole.statements.into_iter().enumerate() {
        budget.claim()?;
        let place = format!("statements[{index}]");
        match claim(said, &document, changed, &place, &mut budget)? {
            Ok(claim) => document.claims.push(claim),
            Err(why) => document.unsound.push(format!("{place}: {why}")),
        }
    }
    Ok(document)
}

/// The statement at `place`, or why it counts for nothing.
fn claim(
    said: Said,
    document: &Document,
    written: Option<Timestamp>,
    place: &str,
    budget: &mut Budget<'_>,
) -> Result<Result<Claim, String>, Error> {
    let source = document.source.as_str();
    let at = |name: &str| format!("{place}.{name}");
    let first = moment(&said.timestamp, source, &at("timestamp"))?;
    let last = moment(&said.last_updated, source, &at("last_updated"))?;
    let Some(status) = VexStatus::of_word(&said.status) else {
        return Ok(Err(format!("`{}` is no status", said.status.chars().take(40).collect::<String>())));
    };
    let vulnerabilities = said.vulnerability.map(names).unwrap_or_default();
    if vulnerabilities.is_empty() {
        return Ok(Err("names no vulnerability".to_owned()));
    }
    let (justification, impact) = (text(&said.justification), text(&said.impact_statement));
    if status == VexStatus::NotAffected && justification.is_none() && impact.is_none() {
        return Ok(Err("says not_affected and neither justification nor impact_statement".to_owned()));
    }
    let shared: Vec<Arc<Thing>> = said.subcomponents.into_iter().map(|one| Arc::new(thing(one).0)).collect();
    let mut products = Vec::new();
    for product in said.products {
        let (whole, parts) = thing(product);
        let parts: Vec<Arc<Thing>> = if parts.is_empty() {
            shared.clone()
        } else {
            parts.into_iter().map(|part| Arc::new(thing(part).0)).collect()
        };
        budget.products(1 + parts.len())?;
        products.push(Product { whole: Some(Arc::new(whole)), parts });
    }
    if products.is_empty() {
        return Ok(Err("names no product".to_owned()));
    }
    let reason = impact.or_else(|| text(&said.action_statement)).or_else(|| text(&said.status_notes));
    let statement = Statement {
        status,
        author: document.author.clone(),
        said: last.or(first).or(written),
        source: document.source.clone(),
        document: document.id.clone(),
        justification: justification.filter(|_| status == VexStatus::NotAffected),
        reason,
    };
    Ok(Ok(Claim { vulnerabilities, products, statement }))
}

/// Every id; where there is none, what the page about it is called.
fn names(vulnerability: Vulnerability) -> Vec<String> {
    let mut names = match vulnerability {
        Vulnerability::Name(name) => vec![name],
        Vulnerability::Whole(Described { id, name, aliases }) => {
            let page = || id.rsplit(['/', '=']).next().unwrap_or_default().to_owned();
            let name = if name.is_empty() { page() } else { name };
            std::iter::once(name).chain(aliases).collect()
        }
    };
    names.retain(|name| !name.trim().is_empty());
    names
}

/// What it is, and its parts.
fn thing(named: Named) -> (Thing, Vec<Named>) {
    let component = match named {
        Named::Name(name) => return (Thing::named(&name), Vec::new()),
        Named::Whole(component) => component,
    };
    let purl = component.identifiers.get("purl").map(String::as_str);
    let label = if component.id.is_empty() { purl.unwrap_or_default() } else { &component.id };
    let mut thing = Thing::named(label);
    if let Some(purl) = purl.filter(|purl| *purl != label) {
        thing.purl(purl);
    }
    for hash in component.hashes.values() {
        thing.hash(hash);
    }
    (thing, component.subcomponents)
}
