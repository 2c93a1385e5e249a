//! What a claim is about, and whether a finding in an image is that.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use boltseal_model::{Digest, Finding, Package, Report};

use super::purl::Purl;

/// An image, a package or whatever else a document names, by all the names it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thing {
    /// As the document calls it.
    pub label: String,
    purls: Vec<Purl>,
    /// Hexadecimal, of the whole thing.
    hashes: Vec<String>,
}

impl Thing {
    /// What is called `label`, which may be a package URL.
    pub(super) fn named(label: &str) -> Self {
        let mut thing = Self { label: label.chars().take(500).collect(), ..Self::default() };
        thing.purl(label);
        thing
    }

    /// It is also called `purl`.
    pub(super) fn purl(&mut self, purl: &str) {
        self.purls.extend(Purl::parse(purl));
    }

    /// Its bytes have this hash.
    pub(super) fn hash(&mut self, hex: &str) {
        // SHA-256 and longer; shorter ones prove nothing.
        if hex.len() >= 64 && hex.len() <= 128 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            self.hashes.push(hex.to_ascii_lowercase());
        }
    }

    /// The same, in `version` only; `None` where it is another version. An empty one changes nothing.
    pub(super) fn at(self: Arc<Self>, version: &str) -> Option<Arc<Self>> {
        if version.is_empty() {
            return Some(self);
        }
        let mut thing = Self { hashes: self.hashes.clone(), label: self.label.clone(), purls: Vec::new() };
        thing.purls.extend(self.purls.iter().filter_map(|purl| purl.at(version)));
        thing.is_known().then(|| Arc::new(thing))
    }

    /// Whether anything tells what it is.
    pub(super) fn is_known(&self) -> bool {
        !self.purls.is_empty() || !self.hashes.is_empty()
    }

    /// Whether it means one version only.
    pub(super) fn is_exact(&self) -> bool {
        !self.hashes.is_empty()
            || (!self.purls.is_empty() && self.purls.iter().all(|purl| !purl.version().is_empty()))
    }
}

/// What a claim is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// The image, or a package; `None` where the document does not say in what the parts are.
    pub whole: Option<Arc<Thing>>,
    /// Only these parts of it. Empty: all of it.
    pub parts: Vec<Arc<Thing>>,
}

impl Product {
    /// All of `whole`.
    pub(super) const fn all(whole: Arc<Thing>) -> Self {
        Self { whole: Some(whole), parts: Vec::new() }
    }
}

/// How closely a claim fits; the closer of two says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fit {
    /// Every version of the product.
    Any,
    /// This version, or this very image.
    Exact,
}

/// The products of a claim, by the packages that they may be about.
pub(super) struct Aim<'c> {
    /// How closely one of them means the whole image.
    image: Option<Fit>,
    /// And how closely the whole of each means it.
    by_name: HashMap<String, Vec<(&'c Product, Option<Fit>)>>,
}

/// A report, looked at by what its parts are called.
pub(super) struct Place<'a> {
    report: &'a Report,
    digests: Vec<String>,
    /// `pkg:oci/…` of the image, taken apart.
    image: Option<Purl>,
    by_purl: HashMap<&'a str, Vec<&'a Package>>,
    by_name: HashMap<String, Vec<(Purl, &'a Package)>>,
    parsed: HashMap<&'a str, Purl>,
}

impl<'a> Place<'a> {
    pub(super) fn of(report: &'a Report, also: &[Digest]) -> Self {
        let image = crate::format::image_purl(&report.subject);
        let mut by_purl: HashMap<&str, Vec<&Package>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<(Purl, &Package)>> = HashMap::new();
        let mut parsed = HashMap::new();
        for package in &report.packages {
            by_purl.entry(package.purl.as_str()).or_default().push(package);
            if let Some(purl) = Purl::parse(&package.purl) {
                by_name.entry(purl.key()).or_default().push((purl, package));
            }
        }
        let findings = report.findings.iter().map(|finding| finding.purl.as_str());
        for purl in report.packages.iter().map(|package| package.purl.as_str()).chain(findings) {
            if let Some(one) = Purl::parse(purl) {
                parsed.entry(purl).or_insert(one);
            }
        }
        let subject = &report.subject;
        let own = [&subject.digest, &subject.config].into_iter().flatten();
        let pinned = subject.name.as_ref().and_then(boltseal_model::Reference::digest);
        let digests = own.chain(pinned).chain(also).map(ToString::to_string).collect();
        Self { report, digests, image: image.as_deref().and_then(Purl::parse), by_purl, by_name, parsed }
    }

    /// Sorts the products of a claim once, so that each finding meets only those that carry its name.
    pub(super) fn aim<'c>(&self, products: &'c [Product]) -> Aim<'c> {
        let mut aim = Aim { image: None, by_name: HashMap::new() };
        for product in products {
            let image = product.whole.as_ref().and_then(|whole| self.image(whole));
            if product.parts.is_empty() && image.is_some() {
                aim.image = aim.image.max(image);
                continue;
            }
            let whole = product.whole.iter().filter(|_| product.parts.is_empty());
            for purl in whole.chain(&product.parts).flat_map(|thing| &thing.purls) {
                aim.by_name.entry(purl.key()).or_default().push((product, image));
            }
        }
        aim
    }

    /// How closely a claim is about `finding`; `None` where it is about something else.
    pub(super) fn fit(&self, aim: &Aim<'_>, finding: &Finding) -> Option<Fit> {
        let products = self.names(finding).into_iter().filter_map(|name| aim.by_name.get(&name)).flatten();
        let fits = products.filter_map(|(product, image)| self.about(product, *image, finding));
        fits.max().max(aim.image)
    }

    /// What documents may call the package of `finding`: its own name, and those of its source packages.
    fn names(&self, finding: &Finding) -> BTreeSet<String> {
        let Some(installed) = self.parsed.get(finding.purl.as_str()) else { return BTreeSet::new() };
        let packages = self.by_purl.get(finding.purl.as_str()).into_iter().flatten();
        let sources = packages.filter_map(|package| package.source.as_ref());
        let sources = sources.map(|source| installed.key_of(&source.name));
        std::iter::once(installed.key()).chain(sources).collect()
    }

    fn about(&self, product: &Product, image: Option<Fit>, finding: &Finding) -> Option<Fit> {
        let Some(whole) = &product.whole else { return self.of_parts(&product.parts, finding) };
        if product.parts.is_empty() {
            return self.package(whole, finding);
        }
        let part = self.of_parts(&product.parts, finding)?;
        if image.is_some() {
            return image.max(Some(part));
        }
        self.encloses(whole, finding).then_some(part)
    }

    fn of_parts(&self, parts: &[Arc<Thing>], finding: &Finding) -> Option<Fit> {
        parts.iter().filter_map(|part| self.package(part, finding)).max()
    }

    /// Whether `thing` is the image.
    fn image(&self, thing: &Thing) -> Option<Fit> {
        let has = |hash: &str| self.digests.iter().any(|digest| digest.rsplit(':').next() == Some(hash));
        if thing.hashes.iter().any(|hash| has(hash)) {
            return Some(Fit::Exact);
        }
        thing.purls.iter().filter(|purl| purl.is_image()).filter_map(|purl| self.named(purl)).max()
    }

    fn named(&self, purl: &Purl) -> Option<Fit> {
        if !purl.version().is_empty() && self.digests.iter().any(|digest| digest == purl.version()) {
            return Some(Fit::Exact); // a digest says it all, wherever the image lies
        }
        let name = self.report.subject.name.as_ref()?;
        let repository = name.repository();
        let last = repository.rsplit('/').next().unwrap_or(repository);
        let is_named = match purl.kind() {
            "docker" if !purl.namespace().is_empty() => {
                repository == format!("{}/{}", purl.namespace(), purl.name())
            }
            _ => last == purl.name(),
        };
        if !is_named || !self.is_from(purl) {
            return None;
        }
        let tagged = |tag: &str| name.tag() == Some(tag);
        match (purl.version(), purl.qualifier("tag")) {
            ("", None) => Some(Fit::Any),
            ("", Some(tag)) => name.tag().is_none_or(|_| tagged(tag)).then_some(Fit::Any),
            (version, _) => (purl.kind() == "docker" && tagged(version)).then_some(Fit::Exact),
        }
    }

    /// Whether registry and platform are the image's, where the document names them.
    fn is_from(&self, purl: &Purl) -> bool {
        let Some(name) = &self.report.subject.name else { return false };
        let home = |place: &str| {
            let place = place.trim_start_matches("https://").trim_end_matches('/').to_lowercase();
            let place = place
                .strip_prefix("index.docker.io/")
                .map_or(place.clone(), |rest| format!("docker.io/{rest}"));
            let path = place.split_once('/').map_or("", |(_, path)| path).to_owned();
            (place, path)
        };
        let (own, _) = home(&name.name());
        let is_home = purl.qualifier("repository_url").is_none_or(|url| {
            let (place, path) = home(url);
            // Some write the registry and name space only, without the image's name.
            place == own
                || format!("{place}/{}", purl.name()) == own
                || (path.is_empty() && place == name.registry())
        });
        let is_platform =
            self.image.as_ref().is_none_or(|image| purl.agrees(image, &["repository_url", "tag"]));
        is_home && is_platform
    }

    /// Whether `thing` is the package of `finding`, or the source package that it was built from.
    fn package(&self, thing: &Thing, finding: &Finding) -> Option<Fit> {
        let installed = self.parsed.get(finding.purl.as_str())?;
        let fits = |purl: &Purl| {
            let source = || {
                let packages = self.by_purl.get(finding.purl.as_str()).into_iter().flatten();
                let mut sources = packages.filter_map(|package| package.source.as_ref());
                (purl.kind(), purl.namespace()) == (installed.kind(), installed.namespace())
                    && purl.agrees(installed, &["arch"])
                    && sources.any(|source| source.name == purl.name() && purl.is_version(&source.version))
            };
            purl.means(installed) || (purl.is_source() && source())
        };
        let exact = |purl: &Purl| if purl.version().is_empty() { Fit::Any } else { Fit::Exact };
        thing.purls.iter().filter(|purl| fits(purl)).map(exact).max()
    }

    /// Whether the package of `finding` lies inside a package that `thing` names: a jar in a jar, a module in the folder
    /// of an application. Beside it is not enough: others may use it too.
    fn encloses(&self, thing: &Thing, finding: &Finding) -> bool {
        let inside = finding.proof.path.as_str();
        let is_around = |path: &String| {
            let folder =
                path.strip_suffix("package.json").filter(|folder| !folder.ends_with("node_modules/"));
            inside.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with("!/"))
                || folder
                    .and_then(|folder| inside.strip_prefix(folder))
                    .is_some_and(|rest| rest.starts_with("node_modules/"))
        };
        thing.purls.iter().any(|purl| {
            let packages = self.by_name.get(&purl.key()).into_iter().flatten();
            let mut named = packages.filter(|(installed, _)| purl.means(installed));
            named.any(|(_, package)| package.paths.iter().any(is_around))
        })
    }
}
