//! Headers, and the lines of manifests that stand in for them, to packages.

use std::collections::HashSet;

use boltseal_model::{Catalog, Distro, File, Package, Source, Tree};

use super::{
    FILES, FOLDERS,
    database::{self, Stored},
    header::{Header, Tag},
    inventory, log, manifest, module, release,
};
use crate::{catalog::not_parsed, origin, purl::Purl};

/// Name, version and architecture: what tells one installed package from another.
type Key = (Box<str>, Box<str>, Box<str>);

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    let mut seen = HashSet::new();
    for (folder, name) in FOLDERS.iter().flat_map(|folder| FILES.map(|name| (folder, name))) {
        let path = format!("{folder}{name}");
        // By its own name only: through a link it would be read twice.
        if let Some(file) = tree.files.get(path.as_str()) {
            let place = Place { path: &path, file, log: log(tree, &path) };
            list(tree, place, distro, &from_database, &mut seen, out);
        }
    }
    for (path, file) in inventory::PATHS.iter().filter_map(|path| Some((*path, tree.files.get(*path)?))) {
        let read = |stored: Stored<'_>| inventory::read(stored.content);
        list(tree, Place { path, file, log: &[] }, distro, &read, &mut seen, out);
    }
    if let Some((path, file)) = manifest::find(tree) {
        let read = |stored: Stored<'_>| manifest::read(path, stored.content);
        list(tree, Place { path, file, log: &[] }, distro, &read, &mut seen, out);
    }
}

/// A file that lists packages, and the log beside it if it has one.
#[derive(Clone, Copy)]
struct Place<'a> {
    path: &'a str,
    file: &'a File,
    log: &'a [u8],
}

/// Pushes the packages that `read` finds at `place`.
fn list(
    tree: &Tree,
    place: Place<'_>,
    distro: Option<&Distro>,
    read: &dyn Fn(Stored<'_>) -> Listed,
    seen: &mut HashSet<Key>,
    out: &mut Catalog,
) {
    let Place { path, file, log } = place;
    let keys = |content: &[u8]| read(Stored::alone(content)).0.iter().map(Installed::key).collect();
    let past = origin::Past::of(file, keys);
    let (packages, problem) = read(Stored { content: &file.content, log });
    for installed in packages {
        let key = installed.key();
        let layer = origin::layer(tree, past.since(&key));
        if module::is_modular(&installed.release) && installed.module.is_empty() {
            let why = format!("{} is of a module, but does not say of which stream", installed.name);
            out.gaps.push(not_parsed("rpm", path, why));
        }
        if seen.insert(key) {
            out.packages.push(Package { layer, ..installed.package(path, distro) });
        }
    }
    if let Some(why) = problem {
        out.gaps.push(not_parsed("rpm", path, why));
    }
}

/// What a header says about its package. Texts are as they were written.
#[derive(Debug, Default)]
pub(super) struct Installed {
    pub name: String,
    pub epoch: u32,
    pub version: String,
    pub release: String,
    pub architecture: String,
    pub source: String,
    pub vendor: String,
    pub license: String,
    pub module: String,
}

/// Packages, and the first thing that is wrong with the file that lists them.
pub(super) type Listed = (Vec<Installed>, Option<String>);

/// Every package of a database, and the first thing that is wrong with it.
pub(super) fn from_database(stored: Stored<'_>) -> Listed {
    let (mut packages, mut problem) = (Vec::new(), None);
    let end =
        database::each(stored, &mut |blob| match Header::parse(blob).and_then(|h| Installed::read(&h)) {
            Ok(installed) if installed.is_key() => {}
            Ok(installed) => packages.push(installed),
            Err(why) => _ = problem.get_or_insert_with(|| why.to_owned()),
        });
    (packages, end.err().or(problem))
}

impl Installed {
    pub(super) fn read(header: &Header<'_>) -> Result<Self, &'static str> {
        let text = |tag| header.text(tag).into_owned();
        Self {
            name: text(Tag::Name),
            epoch: header.numbers(Tag::Epoch).next().unwrap_or_default(),
            version: text(Tag::Version),
            release: text(Tag::Release),
            architecture: text(Tag::Arch),
            source: text(Tag::SourceRpm),
            vendor: text(Tag::Vendor),
            license: text(Tag::License),
            module: text(Tag::ModularityLabel),
        }
        .checked()
    }

    /// A package that cannot be named is a hole.
    pub(super) fn checked(self) -> Result<Self, &'static str> {
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        if self.name.is_empty() || self.version.is_empty() {
            Err("a package has no name or no version")
        } else if [&self.name, &self.version, &self.release].into_iter().all(|text| sane(text)) {
            Ok(self)
        } else {
            Err("the name, version or release of a package holds forbidden characters")
        }
    }

    /// Keys that packages were signed with lie among packages.
    pub(super) fn is_key(&self) -> bool {
        self.name == "gpg-pubkey"
    }

    /// `[epoch:]version-release`; an epoch of 0 is not written.
    fn full_version(&self) -> String {
        self.with_epoch(&self.without_epoch())
    }

    fn without_epoch(&self) -> String {
        if self.release.is_empty() {
            self.version.clone()
        } else {
            format!("{}-{}", self.version, self.release)
        }
    }

    fn with_epoch(&self, version: &str) -> String {
        if self.epoch == 0 { version.to_owned() } else { format!("{}:{version}", self.epoch) }
    }

    fn key(&self) -> Key {
        (self.name.clone().into(), self.full_version().into(), self.architecture.clone().into())
    }

    /// From `util-linux-2.32.1-42.el8_8.src.rpm`. The file name leaves the epoch out; it is mostly the package's own.
    fn source(&self) -> Option<Source> {
        let name = self.source.strip_suffix(".rpm")?;
        let name = name.strip_suffix(".src").or_else(|| name.strip_suffix(".nosrc"))?;
        let (name, release) = name.rsplit_once('-')?;
        let (name, version) = name.rsplit_once('-')?;
        let version = format!("{version}-{release}");
        let sane = !name.is_empty() && !self.source.contains(|c: char| c.is_whitespace() || c.is_control());
        sane.then(|| Source { name: name.to_owned(), version: self.with_epoch(&version) })
    }

    fn package(&self, path: &str, distro: Option<&Distro>) -> Package {
        // What somebody else built is that vendor's business: the distribution's advisories do not speak about it.
        let foreign = (!release::is_own(&self.vendor, distro)).then(|| slug(&self.vendor));
        let distribution =
            distro.filter(|d| !d.version.is_empty()).map(|d| format!("{}-{}", d.id, d.version));
        let version = self.without_epoch();
        let epoch = if self.epoch == 0 { String::new() } else { self.epoch.to_string() };
        let plain = |text: &str| text.replace(|c: char| c.is_control(), "");
        let (architecture, upstream) = (plain(&self.architecture), plain(&self.source));
        let module = plain(&self.module);
        let purl = Purl::new("rpm", &self.name)
            .namespace(foreign.as_deref().unwrap_or_else(|| release::purl_namespace(distro)))
            .version(&version)
            .qualifier("arch", &architecture)
            .qualifier("distro", distribution.as_deref().unwrap_or_default())
            .qualifier("epoch", &epoch)
            .qualifier("rpmmod", &module)
            .qualifier("upstream", &upstream)
            .to_string();
        Package {
            ecosystem: "rpm".to_owned(),
            name: self.name.clone(),
            version: self.full_version(),
            purl,
            source: self.source(),
            architecture: Some(architecture).filter(|text| !text.is_empty()),
            licenses: Some(plain(&self.license)).filter(|text| !text.is_empty()).into_iter().collect(),
            paths: vec![path.to_owned()],
            layer: None,
            owner: None,
        }
    }
}

/// A vendor as part of a package URL and a name space: `Docker, Inc. <x@y>` is `docker-inc`.
fn slug(vendor: &str) -> String {
    let name = vendor.split(['<', '(']).next().unwrap_or(vendor);
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.map(str::to_ascii_lowercase).take(8).collect::<Vec<_>>().join("-");
    if slug.is_empty() { "unknown-vendor".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_vendors() {
        let source = |text: &str| {
            let installed = Installed { source: text.to_owned(), epoch: 2, ..Installed::default() };
            installed.source().map(|source| (source.name, source.version))
        };
        let of = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(source("util-linux-2.32.1-42.el8_8.src.rpm"), of("util-linux", "2:2.32.1-42.el8_8"));
        assert_eq!(source("a-1-2.nosrc.rpm"), of("a", "2:1-2"));
        assert_eq!((source("(none)"), source("-1-2.src.rpm"), source("")), (None, None, None));
        assert_eq!(slug("SUSE LLC <https://www.suse.com/>"), "suse-llc");
        assert_eq!(slug("Docker"), "docker");
        assert_eq!(slug("\u{fc}"), "unknown-vendor");
    }
}
