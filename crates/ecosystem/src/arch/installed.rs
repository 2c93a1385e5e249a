//! pacman's local database: one folder for each package, with `desc` and `files`, which hold sections: a line `%NAME%`,
//! values one a line, an empty line.

use boltseal_model::{Catalog, Distro, File, Package, Source, Tree};

use super::{DATABASE, DESCRIPTION, LIST};
use crate::{Owners, catalog::not_parsed, files, origin, owner::Maker, purl::Purl};

pub(super) fn catalog(tree: &Tree, distro: Option<&Distro>, out: &mut Catalog) {
    for (path, file) in files::starting_with(tree, DATABASE).filter(|(path, _)| super::is_database(path)) {
        match Description::parse(&files::text(&file.content)).checked() {
            Ok(description) => {
                let layer = first_layer(file, &description);
                let package = description.package(path, distro);
                out.packages.push(Package { layer: origin::layer(tree, layer), ..package });
            }
            Err(why) => out.gaps.push(not_parsed("arch", path, why)),
        }
    }
}

fn first_layer(file: &File, description: &Description) -> u32 {
    origin::since(file, |content| {
        let older = Description::parse(&files::text(content));
        (older.name, older.version) == (description.name.clone(), description.version.clone())
    })
}

#[derive(Default)]
struct Description {
    name: String,
    version: String,
    base: String,
    architecture: String,
    licenses: Vec<String>,
}

/// The first line of each section, and the values below it.
fn sections(text: &str) -> impl Iterator<Item = (&str, impl Iterator<Item = &str>)> {
    let mut lines = text.lines().map(str::trim).skip_while(|line| line.is_empty());
    std::iter::from_fn(move || {
        let name = lines.find(|line| !line.is_empty())?;
        let values: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        Some((name, values.into_iter()))
    })
}

impl Description {
    fn parse(text: &str) -> Self {
        let mut description = Self::default();
        for (name, mut values) in sections(text) {
            let mut first = || values.next().unwrap_or_default().to_owned();
            match name {
                "%NAME%" => description.name = first(),
                "%VERSION%" => description.version = first(),
                "%BASE%" => description.base = first(),
                "%ARCH%" => description.architecture = first(),
                "%LICENSE%" => description.licenses = values.map(str::to_owned).collect(),
                _ => {}
            }
        }
        description
    }

    fn checked(self) -> Result<Self, &'static str> {
        let sane = |text: &str| {
            !text.starts_with('-') && !text.contains(|c: char| c.is_whitespace() || c.is_control())
        };
        let texts = [&self.name, &self.version, &self.base, &self.architecture];
        if self.name.is_empty() || self.version.is_empty() {
            Err("it has no %NAME% or no %VERSION%")
        } else if texts.into_iter().all(|text| sane(text)) {
            Ok(self)
        } else {
            Err("a name or version holds forbidden characters")
        }
    }

    fn package(self, path: &str, distro: Option<&Distro>) -> Package {
        let vendor = distro.map_or("arch", |distro| &distro.id);
        let upstream = if self.base == self.name { "" } else { self.base.as_str() };
        let purl = Purl::new("alpm", &self.name)
            .namespace(vendor)
            .version(&self.version)
            .qualifier("arch", &self.architecture)
            .qualifier("distro", distro.map_or("", |distro| &distro.id))
            .qualifier("upstream", upstream)
            .to_string();
        let source =
            (!self.base.is_empty()).then(|| Source { name: self.base, version: self.version.clone() });
        Package {
            ecosystem: super::ID.to_owned(),
            name: self.name,
            version: self.version,
            purl,
            source,
            architecture: Some(self.architecture).filter(|text| !text.is_empty()),
            licenses: self.licenses.into_iter().map(|text| text.replace(char::is_control, "")).collect(),
            paths: vec![path.to_owned()],
            layer: None,
            owner: None,
        }
    }
}

/// pacman records no vendor; packages built by hand have no signature to validate.
pub(super) fn owners(tree: &Tree, out: &mut Owners) {
    for (path, file) in files::starting_with(tree, DATABASE) {
        let Some(folder) = path.strip_suffix(LIST) else { continue };
        let Some(description) = tree.files.get(format!("{folder}{DESCRIPTION}").as_str()) else { continue };
        let description = files::text(&description.content);
        let mut unsigned = false;
        let mut name = "";
        for (section, mut values) in sections(&description) {
            match section {
                "%NAME%" => name = values.next().unwrap_or_default(),
                "%VALIDATION%" => unsigned = values.next() == Some("none"),
                _ => {}
            }
        }
        if name.is_empty() {
            continue;
        }
        let text = files::text(&file.content);
        let owner = out.owner(name, Maker::distribution(!unsigned));
        for (section, paths) in sections(&text) {
            if section == "%FILES%" {
                paths.for_each(|path| out.owns(owner, path));
            }
        }
    }
}
