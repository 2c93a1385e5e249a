//! CSAF 2.0 and 2.1 of the profile VEX (<https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>, section 4.5).
//!
//! Products stand in a tree, and are joined by relationships: a component in a product. Statuses are lists of their ids;
//! flags and threats say why. What a product is, only its identification helper tells: a package URL or hashes. Where
//! the whole has neither (an operating system with a CPE), only parts with a version are believed to be meant.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use boltseal_model::{Statement, Timestamp, VexStatus};
use serde::Deserialize;

use super::{
    Budget, Claim, Document, Error, Kind, Origin, Product, Thing, error::field, moment, parse, text,
};

/// Components of components of …; real documents have one step.
const MAX_STEPS: usize = 4;

#[derive(Deserialize)]
struct Whole {
    document: Head,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    category: String,
    publisher: Publisher,
    tracking: Tracking,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Publisher {
    name: String,
    namespace: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tracking {
    id: String,
    version: String,
    current_release_date: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Tree {
    branches: Vec<Branch>,
    full_product_names: Vec<Named>,
    product_groups: Vec<Group>,
    relationships: Vec<Relationship>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Branch {
    branches: Vec<Branch>,
    product: Option<Named>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    product_id: String,
    name: String,
    product_identification_helper: Helper,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Helper {
    purl: String,
    /// Of 2.1.
    purls: Vec<String>,
    hashes: Vec<Hashed>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Hashed {
    file_hashes: Vec<FileHash>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct FileHash {
    value: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Group {
    group_id: String,
    product_ids: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: Named,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Vulnerability {
    cve: String,
    ids: Vec<Id>,
    product_status: BTreeMap<String, Vec<String>>,
    flags: Vec<About>,
    threats: Vec<About>,
    remediations: Vec<About>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Id {
    text: String,
}

/// A flag, a threat or a remediation.
#[derive(Default, Deserialize)]
#[serde(default)]
struct About {
    label: String,
    category: String,
    details: String,
    product_ids: Vec<String>,
    group_ids: Vec<String>,
}

pub(super) fn read(bytes: &[u8], source: &str) -> Result<Document, Error> {
    let whole: Whole = parse(bytes, source)?;
    if whole.document.category != "csaf_vex" {
        return Err(Error::NotVex { source_name: source.to_owned() });
    }
    let publisher = &whole.document.publisher;
    let author = text(&publisher.name).or_else(|| text(&publisher.namespace));
    let author = author.ok_or_else(|| field(source, "document.publisher.name", "says not who speaks"))?;
    let tracking = whole.document.tracking;
    let place = "document.tracking.current_release_date";
    let changed = moment(&tracking.current_release_date, source, place)?;
    let mut document = Document {
        kind: Kind::Csaf,
        origin: Origin::Attached,
        source: source.to_owned(),
        id: tracking.id,
        author,
        version: tracking.version.split('.').next().and_then(|major| major.parse().ok()).unwrap_or_default(),
        changed,
        claims: Vec::new(),
        unsound: Vec::new(),
    };
    let products = Products::of(&whole.product_tree);
    let mut budget = Budget::new(source);
    for (index, vulnerability) in whole.vulnerabilities.iter().enumerate() {
        let place = format!("vulnerabilities[{index}]");
        tell(vulnerability, &products, &mut document, changed, &place, &mut budget)?;
    }
    Ok(document)
}

/// The products of a document by their ids.
struct Products<'a> {
    plain: HashMap<&'a str, Arc<Thing>>,
    joined: HashMap<&'a str, (&'a str, &'a str)>,
    groups: HashMap<&'a str, &'a [String]>,
}

impl<'a> Products<'a> {
    fn of(tree: &'a Tree) -> Self {
        let mut plain = HashMap::new();
        let mut add = |named: &'a Named| {
            plain.entry(named.product_id.as_str()).or_insert_with(|| Arc::new(thing(named)));
        };
        tree.full_product_names.iter().for_each(&mut add);
        let mut branches: Vec<&Branch> = tree.branches.iter().collect();
        while let Some(branch) = branches.pop() {
            branch.product.iter().for_each(&mut add);
            branches.extend(&branch.branches);
        }
        let joined = tree.relationships.iter().map(|one| {
            let parts = (one.product_reference.as_str(), one.relates_to_product_reference.as_str());
            (one.full_product_name.product_id.as_str(), parts)
        });
        let groups =
            tree.product_groups.iter().map(|one| (one.group_id.as_str(), one.product_ids.as_slice()));
        Self { joined: joined.collect(), groups: groups.collect(), plain }
    }

    /// What `id` means, where its name tells.
    fn product(&self, id: &str) -> Option<Product> {
        let Some((part, whole)) = self.joined.get(id) else {
            return Some(Product::all(Arc::clone(self.plain.get(id).filter(|thing| thing.is_known())?)));
        };
        let part = self.last(part).filter(|part| part.is_known())?;
        match self.last(whole).filter(|whole| whole.is_known()) {
            Some(whole) => Some(Product { whole: Some(whole), parts: vec![part] }),
            None => part.is_exact().then(|| Product { whole: None, parts: vec![part] }),
        }
    }

    /// The plain product at the end of a row of components.
    fn last(&self, id: &str) -> Option<Arc<Thing>> {
        let mut id = id;
        for _ in 0..MAX_STEPS {
            match self.joined.get(id) {
                Some((part, _)) => id = part,
                None => return self.plain.get(id).map(Arc::clone),
            }
        }
        None
    }
}

fn thing(named: &Named) -> Thing {
    let helper = &named.product_identification_helper;
    let label = if helper.purl.is_empty() { &named.name } else { &helper.purl };
    let mut thing = Thing::named(label);
    for purl in &helper.purls {
        thing.purl(purl);
    }
    for hash in helper.hashes.iter().flat_map(|hashed| &hashed.file_hashes) {
        thing.hash(&hash.value);
    }
    thing
}

const fn status(name: &str) -> Option<VexStatus> {
    Some(match name.as_bytes() {
        b"known_not_affected" => VexStatus::NotAffected,
        b"fixed" | b"first_fixed" => VexStatus::Fixed,
        b"known_affected" | b"first_affected" | b"last_affected" => VexStatus::Affected,
        b"under_investigation" => VexStatus::UnderInvestigation,
        _ => return None, // `recommended` and `unknown` say nothing about what is installed
    })
}

/// A status, and the flag and the text that go with it.
type Word<'a> = (VexStatus, Option<&'a str>, Option<&'a str>);

fn tell(
    vulnerability: &Vulnerability,
    products: &Products<'_>,
    document: &mut Document,
    said: Option<Timestamp>,
    place: &str,
    budget: &mut Budget<'_>,
) -> Result<(), Error> {
    let ids = std::iter::once(&vulnerability.cve).chain(vulnerability.ids.iter().map(|id| &id.text));
    let vulnerabilities: Vec<String> = ids.filter(|id| !id.is_empty()).cloned().collect();
    if vulnerabilities.is_empty() {
        document.unsound.push(format!("{place}: names no vulnerability"));
        return Ok(());
    }
    let impacts = vulnerability.threats.iter().filter(|threat| threat.category == "impact");
    let flags = by_product(vulnerability.flags.iter().map(|flag| (flag, &flag.label)), products, budget)?;
    let impacts = by_product(impacts.map(|one| (one, &one.details)), products, budget)?;
    let actions = vulnerability.remediations.iter().map(|one| (one, &one.details));
    let actions = by_product(actions, products, budget)?;
    let mut gathered: BTreeMap<Word<'_>, Vec<Product>> = BTreeMap::new();
    let (mut unknown, mut bare) = (0_usize, 0_usize);
    for (name, listed) in &vulnerability.product_status {
        let Some(status) = status(name) else { continue };
        budget.products(listed.len())?;
        for id in listed {
            let Some(product) = products.product(id) else {
                unknown += 1;
                continue;
            };
            let reasons = if status == VexStatus::NotAffected { &impacts } else { &actions };
            let flag = flags.get(id.as_str()).copied().filter(|_| status == VexStatus::NotAffected);
            let reason = reasons.get(id.as_str()).copied();
            if status == VexStatus::NotAffected && flag.is_none() && reason.is_none() {
                bare += 1;
                continue;
            }
            gathered.entry((status, flag, reason)).or_default().push(product);
        }
    }
    for (number, why) in [
        (unknown, "product(s) without package URL or hash, or without version in a whole without"),
        (bare, "known_not_affected product(s) without flag and impact statement"),
    ] {
        if number > 0 {
            document.unsound.push(format!("{place}: {number} {why}"));
        }
    }
    for ((status, flag, reason), products) in gathered {
        budget.claim()?;
        let statement = Statement {
            status,
            author: document.author.clone(),
            said,
            source: document.source.clone(),
            document: document.id.clone(),
            justification: flag.and_then(text),
            reason: reason.and_then(text),
        };
        document.claims.push(Claim { vulnerabilities: vulnerabilities.clone(), products, statement });
    }
    Ok(())
}

/// What each product is told, the first word of several.
fn by_product<'a>(
    told: impl Iterator<Item = (&'a About, &'a String)>,
    products: &Products<'a>,
    budget: &mut Budget<'_>,
) -> Result<HashMap<&'a str, &'a str>, Error> {
    let mut found = HashMap::new();
    for (about, word) in told.filter(|(_, word)| !word.is_empty()) {
        let grouped = about.group_ids.iter().filter_map(|id| products.groups.get(id.as_str()));
        let lists = grouped.copied().chain([about.product_ids.as_slice()]);
        for list in lists {
            budget.products(list.len())?;
            for id in list {
                found.entry(id.as_str()).or_insert(word.as_str());
            }
        }
    }
    Ok(found)
}
