//! Which package of which release a product id means.

use std::collections::HashMap;

use boltseal_model::Status;

use super::document::{Branch, Product, Tree};
use crate::rpm::{self, Nevra};

/// Products that are parts of products that are parts …: packages of modules of repositories.
const MAX_PARTS: usize = 4;

/// The products of one document.
pub(super) struct Products<'a> {
    plain: HashMap<&'a str, &'a Product<'a>>,
    /// A joint product: its part, and what that is a part of.
    joint: HashMap<&'a str, (&'a str, &'a str)>,
}

/// A package of a release.
pub(super) struct Component<'a> {
    pub space: String,
    /// As [`rpm::named`] makes it.
    pub name: String,
    /// `None` where every version is meant.
    pub evr: Option<String>,
    /// Empty where all are meant.
    pub architecture: &'a str,
}

impl Component<'_> {
    /// About it, `status`.
    pub(super) fn key(&self, status: Status) -> rpm::Key {
        rpm::Key { space: self.space.clone(), package: self.name.clone(), status }
    }
}

impl<'a> Products<'a> {
    pub(super) fn of(tree: &'a Tree<'a>) -> Self {
        let mut plain = HashMap::new();
        for product in &tree.full_product_names {
            plain.insert(product.id.as_ref(), product);
        }
        for branch in &tree.branches {
            collect(branch, &mut plain);
        }
        let joint = tree.relationships.iter().map(|relationship| {
            let parts =
                (relationship.product_reference.as_ref(), relationship.relates_to_product_reference.as_ref());
            (relationship.full_product_name.id.as_ref(), parts)
        });
        Self { plain, joint: joint.collect() }
    }

    /// The package that `id` means; `None` where it is of no release that we match, or no package.
    pub(super) fn component(&self, id: &str) -> Option<Component<'a>> {
        let mut parts: Vec<&'a str> = Vec::new();
        let (mut part, mut whole) = *self.joint.get(id)?;
        for _ in 0..MAX_PARTS {
            // Whichever side is joint itself, the package is innermost and the release outermost.
            if let Some((inner, outer)) = self.joint.get(part) {
                parts.push(outer);
                part = inner;
            } else if let Some((inner, outer)) = self.joint.get(whole) {
                parts.push(inner);
                whole = outer;
            } else {
                break;
            }
        }
        let release = self.plain.get(whole)?;
        let space = rpm::cpe_space(&release.helper.cpe).or_else(|| rpm::release_space(&release.name))?;
        let product = self.plain.get(part)?;
        let purl = product.helper.purl.as_ref();
        if !purl.is_empty() && !purl.starts_with("pkg:rpm/") {
            return None;
        }
        let stream = parts.iter().find_map(|part| module_product(part, self.plain.get(part).copied()));
        component(space, part, purl, stream)
    }
}

fn collect<'a>(branch: &'a Branch<'a>, plain: &mut HashMap<&'a str, &'a Product<'a>>) {
    if let Some(product) = &branch.product {
        plain.insert(product.id.as_ref(), product);
    }
    for branch in &branch.branches {
        collect(branch, plain);
    }
}

/// `pkg:rpmmod/redhat/nodejs@16:8060…` or `nodejs:16:8060…:ad008a3a` is `nodejs:16`.
fn module_product(id: &str, product: Option<&Product<'_>>) -> Option<String> {
    let purl = product.map_or("", |product| product.helper.purl.as_ref());
    if let Some(rest) = purl.strip_prefix("pkg:rpmmod/") {
        let (path, version) = rest.split_once('@')?;
        return stream(path.rsplit('/').next()?, version.split('?').next()?);
    }
    let (name, rest) = id.split_once(':')?;
    if rest.contains(':') { stream(name, rest) } else { None }
}

fn stream(name: &str, rest: &str) -> Option<String> {
    let stream = rest.split([':', '%']).next()?;
    (!name.is_empty() && !stream.is_empty()).then(|| format!("{name}:{stream}"))
}

fn component<'a>(
    space: String,
    part: &'a str,
    purl: &'a str,
    mut module: Option<String>,
) -> Option<Component<'a>> {
    let qualifier = |name: &str| {
        let qualifiers = purl.split_once('?')?.1;
        qualifiers.split('&').find_map(|one| one.strip_prefix(name)?.strip_prefix('='))
    };
    // `nodejs:16/nodejs`, as Red Hat writes parts of modules that it has not fixed.
    let mut named = part;
    if let Some((before, name)) = part.split_once('/') {
        let (name_of, of) = before.split_once(':')?; // otherwise it is a container image
        module = module.or_else(|| stream(name_of, of));
        named = name;
    }
    if let Some(given) = qualifier("rpmmod").filter(|given| !given.is_empty()) {
        // Some writers give a text that is no module; then only the name can tell.
        let given = given.replace("%3A", ":").replace("%3a", ":");
        module = given.split_once(':').and_then(|(name, rest)| stream(name, rest)).or(module);
    }
    // `ruby-0:3.1.4-142.module+el8.9.0.x86_64::ruby:3.1`, before 2024 `ruby-2.5.9-111.module+el8.9.0.x86_64.rpm-ruby:2.5`.
    if let Some((package, of)) = named.split_once("::").or_else(|| named.split_once(".rpm-")) {
        named = package;
        module = of.split_once(':').and_then(|(name, rest)| stream(name, rest)).or(module);
    }
    let nevra = Nevra::of(named).filter(|nevra| nevra.release.starts_with(|c: char| c.is_ascii_digit()));
    let architecture = nevra.map_or("", |nevra| nevra.architecture);
    let source =
        matches!(architecture, "src" | "nosrc") || (nevra.is_none() && qualifier("arch") == Some("src"));
    let evr = nevra.map(|nevra| {
        let epoch = if nevra.epoch == "0" { qualifier("epoch").unwrap_or("0") } else { nevra.epoch };
        rpm::evr(epoch, nevra.version, nevra.release)
    });
    // `curl.src` is how the source is named where it has no version.
    let bare = named.strip_suffix(".src").filter(|_| source).unwrap_or(named);
    let name = nevra.map_or(bare, |nevra| nevra.name);
    if name.is_empty() || name.ends_with("-debuginfo") || name.ends_with("-debugsource") {
        return None;
    }
    Some(Component {
        space,
        name: rpm::named(name, module.as_deref(), evr.as_deref()),
        evr,
        architecture: if source { "" } else { architecture },
    })
}
