//! portage's database: one folder for each package, `category/name-version`, with a file for each fact.

use boltseal_model::{Catalog, Distro, Package, Source, Tree};

use super::{CONTENTS, DATABASE, LICENSE, NAME, version};
use crate::{Owners, catalog::not_parsed, files, origin, owner::Maker, purl::Purl};

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    for (path, file) in files::starting_with(tree, DATABASE).filter(|(path, _)| super::is_database(path)) {
        let text = String::from_utf8_lossy(&file.content);
        let Some((folder, ebuild)) = place(path).zip(split(text.trim())) else {
            out.gaps.push(not_parsed("gentoo", path, "it does not name a package and its version"));
            continue;
        };
        let layer = origin::since(file, |content| content == &*file.content);
        let license = tree.files.get(format!("{DATABASE}{folder}{LICENSE}").as_str());
        let license = license.map(|file| String::from_utf8_lossy(&file.content).trim().to_owned());
        let category = folder.split('/').next().unwrap_or_default();
        let package = package(path, category, ebuild, license, distro);
        out.packages.push(Package { layer: origin::layer(tree, layer), ..package });
    }
}

/// `dev-libs/openssl-3.0.13` of a path in it.
fn place(path: &str) -> Option<&str> {
    let (folder, _) = path.strip_prefix(DATABASE)?.rsplit_once('/')?;
    let sane = |c: char| c.is_ascii_alphanumeric() || "/+_.-".contains(c);
    folder.chars().all(sane).then_some(folder)
}

/// Name and version of `openssl-3.0.13-r2`.
fn split(text: &str) -> Option<(&str, &str)> {
    let sane = |c: char| c.is_ascii_alphanumeric() || "+_-".contains(c);
    let mut dashes = text.match_indices('-').map(|(at, _)| at);
    let found = dashes.find_map(|at| {
        let (name, version) = (text.get(..at)?, text.get(at + 1..)?);
        version::is(version).then_some((name, version))
    });
    found.filter(|(name, _)| !name.is_empty() && !name.starts_with('-') && name.chars().all(sane))
}

fn package(
    path: &str,
    category: &str,
    (name, version): (&str, &str),
    license: Option<String>,
    distro: Option<&Distro>,
) -> Package {
    let purl = Purl::new("ebuild", name)
        .namespace(category)
        .version(version)
        .qualifier("distro", distro.map_or("", |distro| &distro.id))
        .to_string();
    Package {
        ecosystem: super::ID.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        purl,
        source: Some(Source { name: format!("{category}/{name}"), version: version.to_owned() }),
        architecture: None,
        licenses: license
            .map(|text| text.replace(char::is_control, " "))
            .filter(|t| !t.is_empty())
            .into_iter()
            .collect(),
        paths: vec![path.to_owned()],
        layer: None,
        owner: None,
    }
}

/// `obj /usr/bin/openssl 0123456789abcdef 1700000000`, `sym /usr/lib/libssl.so -> libssl.so.3 1700000000`.
pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    for (path, file) in files::starting_with(tree, DATABASE).filter(|(path, _)| path.ends_with(CONTENTS)) {
        let Some(folder) = place(path) else { continue };
        let Some(name) = tree.files.get(format!("{DATABASE}{folder}{NAME}").as_str()) else { continue };
        let name = String::from_utf8_lossy(&name.content);
        let Some((name, _)) = split(name.trim()) else { continue };
        let text = String::from_utf8_lossy(&file.content);
        let object = |line| {
            let line: &str = str::strip_prefix(line, "obj ")?;
            // The path may hold spaces; hash and time come after it.
            line.rsplitn(3, ' ').nth(2)
        };
        let link = |line| str::strip_prefix(line, "sym ")?.split(" -> ").next();
        out.add(
            name,
            Maker::Distribution,
            text.lines().filter_map(|line| object(line).or_else(|| link(line))),
        );
    }
}
