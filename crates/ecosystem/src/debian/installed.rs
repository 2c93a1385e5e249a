//! dpkg's databases: paragraphs of `Field: value` lines, deb822(5).

use std::collections::{HashMap, HashSet};

use boltseal_model::{Catalog, Distro, File, Package, Source, Tree};

use super::{INFO, OPKG, STATUS, STATUS_D, is_database};
use crate::{Owners, catalog::not_parsed, distro, files, origin, owner::Maker, purl::Purl};

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    // Both `status` and everything in `status.d`.
    let dpkg = files::starting_with(tree, STATUS).filter(|(path, _)| is_database(path));
    let opkg = OPKG.iter().filter_map(|path| Some((*path, tree.files.get(*path)?)));
    for (path, file) in dpkg.chain(opkg) {
        database(tree, path, file, distro, out);
    }
}

fn database(tree: &Tree, path: &str, file: &File, distro: Option<&Distro>, out: &mut Catalog) {
    let text = files::text(&file.content);
    let past = origin::Past::of(file, |content| {
        paragraphs(&files::text(content)).filter_map(|(_, p)| p.ok()?.key()).collect::<HashSet<_>>()
    });
    let mut problem = None;
    for (line, paragraph) in paragraphs(&text) {
        let read = paragraph.and_then(Paragraph::checked);
        match read {
            Ok(paragraph) if paragraph.is_installed() => {
                let layer = paragraph.key().map_or(file.layer, |key| past.since(&key));
                let mut package = paragraph.package(path, distro);
                package.layer = origin::layer(tree, layer);
                out.packages.push(package);
            }
            Ok(_) => {}
            Err(why) => _ = problem.get_or_insert_with(|| format!("line {line}: {why}")),
        }
    }
    if let Some(why) = problem {
        out.gaps.push(not_parsed("debian", path, why));
    }
}

/// Where maintainers of Debian and Ubuntu packages get their mail.
const OWN_DOMAINS: [&str; 4] = ["debian.org", "debian.net", "ubuntu.com", "canonical.com"];

/// The fields of one package that say what it is.
#[derive(Clone, Copy, Default)]
pub(super) struct Paragraph<'a> {
    name: &'a str,
    status: &'a str,
    version: &'a str,
    architecture: &'a str,
    source: &'a str,
    maintainer: &'a str,
}

/// Paragraphs with the number of their first line.
fn paragraphs(text: &str) -> impl Iterator<Item = (usize, Result<Paragraph<'_>, &'static str>)> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
        let first = lines.peek()?.0 + 1;
        let mut paragraph = Ok(Paragraph::default());
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            if let Err(why) = paragraph.as_mut().map_or(Ok(()), |paragraph| paragraph.read(line)) {
                paragraph = Err(why);
            }
        }
        Some((first, paragraph))
    })
}

impl<'a> Paragraph<'a> {
    /// Of a package that is installed.
    pub(super) fn of(name: &'a str, version: &'a str, architecture: &'a str) -> Self {
        Self { name, version, architecture, ..Self::default() }
    }

    /// Itself, if it names a package.
    pub(super) fn checked(self) -> Result<Self, &'static str> {
        self.check().map(|()| self)
    }

    fn read(&mut self, line: &'a str) -> Result<(), &'static str> {
        if line.starts_with([' ', '\t', '#']) {
            return Ok(());
        }
        let (key, value) =
            line.split_once(':').ok_or("a line is neither `Field: value` nor a continuation")?;
        let field = match key {
            "Package" => &mut self.name,
            "Status" => &mut self.status,
            "Version" => &mut self.version,
            "Architecture" => &mut self.architecture,
            "Source" => &mut self.source,
            "Maintainer" => &mut self.maintainer,
            _ => return Ok(()),
        };
        *field = value.trim();
        Ok(())
    }

    /// A paragraph that is installed and cannot be named is a hole; one that is not installed is none.
    fn check(&self) -> Result<(), &'static str> {
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        match self {
            _ if !self.is_installed() => Ok(()),
            Self { name: "", .. } => Err("a paragraph has no Package field"),
            Self { version: "", .. } => Err("a package has no Version field"),
            _ if !sane(self.name) || !sane(self.version) => {
                Err("a package name or version holds forbidden characters")
            }
            _ => Ok(()),
        }
    }

    /// Whether files of the package are on disk: every state but the two in which they are certainly gone.
    ///
    /// Distroless images write no status at all, because what they list is there.
    fn is_installed(&self) -> bool {
        let state = self.status.rsplit(' ').next().unwrap_or_default();
        !matches!(state, "not-installed" | "config-files")
    }

    /// Whether the distribution made it, so that its advisories speak for what is inside.
    ///
    /// dpkg does not record where a package came from; the address of the maintainer is the best there is. One in
    /// fourteen Debian maintainers gives a private one: what is in those packages is matched by its own feed, too.
    /// The other error, silence about what another vendor's repository brought, would be the worse one.
    fn is_of_distribution(&self) -> bool {
        let address = self.maintainer.trim_end_matches('>').to_ascii_lowercase();
        let domain =
            |own: &&str| address.ends_with(&format!("@{own}")) || address.ends_with(&format!(".{own}"));
        address.is_empty() || OWN_DOMAINS.iter().any(domain)
    }

    /// What tells one installed package from another.
    fn key(&self) -> Option<(Box<str>, Box<str>, Box<str>)> {
        self.is_installed().then(|| (self.name.into(), self.version.into(), self.architecture.into()))
    }

    /// `Source: glibc`, or `Source: util-linux (2.38.1-5)` where versions differ.
    fn source(&self) -> Option<Source> {
        let (name, version) = match self.source.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.trim_end().trim_end_matches(')').trim()),
            None => (self.source, ""),
        };
        let version = if version.is_empty() { self.version } else { version };
        (!name.is_empty()).then(|| Source { name: name.to_owned(), version: version.to_owned() })
    }

    pub(super) fn package(&self, path: &str, distro: Option<&Distro>) -> Package {
        let vendor = distro.map_or("debian", distro::vendor);
        let release = distro.filter(|d| !d.version.is_empty()).map(|d| format!("{vendor}-{}", d.version));
        let kind = if OPKG.contains(&path) { "opkg" } else { "deb" };
        let purl = Purl::new(kind, self.name)
            .namespace(vendor)
            .version(self.version)
            .qualifier("arch", self.architecture)
            .qualifier("distro", release.as_deref().unwrap_or_default())
            .to_string();
        Package {
            ecosystem: "debian".to_owned(),
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            purl,
            source: self.source(),
            architecture: (!self.architecture.is_empty()).then(|| self.architecture.to_owned()),
            licenses: Vec::new(),
            paths: vec![path.to_owned()],
            layer: None,
            owner: None,
        }
    }
}

/// Passed over: lists of packages that no database names.
pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    let status = files::text(tree.content(STATUS).unwrap_or_default());
    let installed: HashMap<&str, Maker> = paragraphs(&status)
        .filter_map(|(_, paragraph)| paragraph.ok().filter(Paragraph::is_installed))
        .map(|paragraph| (paragraph.name, Maker::distribution(paragraph.is_of_distribution())))
        .collect();
    for (path, file) in files::starting_with(tree, INFO) {
        let Some(name) = path.strip_prefix(INFO).and_then(|name| name.strip_suffix(".list")) else {
            continue;
        };
        // `libc6:amd64` where several architectures may be installed side by side.
        let name = name.split(':').next().unwrap_or(name);
        if let Some(maker) = installed.get(name) {
            out.add(name, *maker, files::text(&file.content).lines());
        }
    }
    for (path, file) in files::starting_with(tree, STATUS_D) {
        let Some(record) = path.strip_suffix(".md5sums").and_then(|path| tree.content(path)) else {
            continue;
        };
        let record = files::text(record);
        let first = paragraphs(&record).find_map(|(_, paragraph)| paragraph.ok());
        let Some(package) = first else { continue };
        let maker = Maker::distribution(package.is_of_distribution());
        // `0a540d50…  usr/share/base-files/motd`
        let sums = files::text(&file.content);
        out.add(package.name, maker, sums.lines().filter_map(|line| Some(line.split_once("  ")?.1)));
    }
}
