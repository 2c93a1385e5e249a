//! apk's installed database: records of `K:value` lines, divided by empty lines.
//!
//! `P` name, `V` version, `A` architecture, `L` license, `o` origin, `F` folder, `R` file in the last folder.

use std::collections::HashSet;

use boltseal_model::{Catalog, Distro, File, Package, Source, Tree};

use super::DATABASES;
use crate::{Owners, catalog::not_parsed, files, origin, owner::Maker, purl::Purl};

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    for path in DATABASES {
        // By its own name only: through a link it would be read twice.
        if let Some(file) = tree.files.get(path) {
            database(tree, path, file, distro, out);
        }
    }
}

fn database(tree: &Tree, path: &str, file: &File, distro: Option<&Distro>, out: &mut Catalog) {
    let past = origin::Past::of(file, |content| {
        records(&files::text(content)).filter_map(|(_, r)| Some(r.ok()?.key())).collect::<HashSet<_>>()
    });
    let mut problem = None;
    for (line, record) in records(&files::text(&file.content)) {
        match record.and_then(|record| record.check().map(|()| record)) {
            Ok(record) => {
                let mut package = record.package(path, distro);
                package.layer = origin::layer(tree, past.since(&record.key()));
                out.packages.push(package);
            }
            Err(why) => _ = problem.get_or_insert_with(|| format!("line {line}: {why}")),
        }
    }
    if let Some(why) = problem {
        out.gaps.push(not_parsed("alpine", path, why));
    }
}

#[derive(Clone, Copy, Default)]
struct Record<'a> {
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    license: &'a str,
    origin: &'a str,
}

/// Records with the number of their first line.
fn records(text: &str) -> impl Iterator<Item = (usize, Result<Record<'_>, &'static str>)> {
    let mut lines = text.lines().enumerate().peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|(_, line)| line.trim().is_empty()).is_some() {}
        let first = lines.peek()?.0 + 1;
        let mut record = Ok(Record::default());
        while let Some((_, line)) = lines.next_if(|(_, line)| !line.trim().is_empty()) {
            if let Err(why) = record.as_mut().map_or(Ok(()), |record| record.read(line)) {
                record = Err(why);
            }
        }
        Some((first, record))
    })
}

impl<'a> Record<'a> {
    fn read(&mut self, line: &'a str) -> Result<(), &'static str> {
        let (key, value) =
            line.split_once(':').filter(|(key, _)| key.len() == 1).ok_or("a line is not `K:value`")?;
        let field = match key {
            "P" => &mut self.name,
            "V" => &mut self.version,
            "A" => &mut self.architecture,
            "L" => &mut self.license,
            "o" => &mut self.origin,
            _ => return Ok(()),
        };
        *field = value.trim();
        Ok(())
    }

    fn check(&self) -> Result<(), &'static str> {
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        match self {
            Self { name: "", .. } => Err("a record has no name (P:)"),
            Self { version: "", .. } => Err("a record has no version (V:)"),
            _ if !sane(self.name) || !sane(self.version) => {
                Err("a package name or version holds forbidden characters")
            }
            _ => Ok(()),
        }
    }

    /// What tells one installed package from another.
    fn key(&self) -> (Box<str>, Box<str>) {
        (self.name.into(), self.version.into())
    }

    fn package(&self, path: &str, distro: Option<&Distro>) -> Package {
        let vendor = distro.map_or("alpine", |distro| &distro.id);
        let release = distro.filter(|d| !d.version.is_empty()).map(|d| format!("{}-{}", d.id, d.version));
        let purl = Purl::new("apk", self.name)
            .namespace(vendor)
            .version(self.version)
            .qualifier("arch", self.architecture)
            .qualifier("distro", release.as_deref().unwrap_or_default())
            .to_string();
        let source = Source { name: self.origin.to_owned(), version: self.version.to_owned() };
        Package {
            ecosystem: "alpine".to_owned(),
            name: self.name.to_owned(),
            version: self.version.to_owned(),
            purl,
            source: (!self.origin.is_empty()).then_some(source),
            architecture: (!self.architecture.is_empty()).then(|| self.architecture.to_owned()),
            licenses: Some(self.license)
                .filter(|license| !license.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            paths: vec![path.to_owned()],
            layer: None,
            owner: None,
        }
    }
}

pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    for file in DATABASES.iter().filter_map(|path| tree.files.get(*path)) {
        let text = files::text(&file.content);
        for record in text.split("\n\n") {
            let name = record.lines().find_map(|line| line.strip_prefix("P:")).unwrap_or_default();
            let mut folder = "";
            let paths: Vec<String> = record
                .lines()
                .filter_map(|line| match line.split_once(':')? {
                    ("F", path) => {
                        folder = path;
                        None
                    }
                    ("R", file) => Some(format!("{folder}/{file}")),
                    _ => None,
                })
                .collect();
            out.add(name, Maker::Distribution, paths.iter().map(String::as_str));
        }
    }
}
