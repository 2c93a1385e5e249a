//! `packages.lock.json`, `packages.config`, `project.assets.json`, `paket.lock`.

use quick_xml::{Reader as Xml, events::Event};

use crate::lock::{Lock, Pin, Reader, file_name, members, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "packages.config" => Some(config),
        "project.assets.json" => Some(assets),
        "paket.lock" => Some(paket),
        name if name == "packages.lock.json"
            || name.starts_with("packages.") && name.ends_with(".lock.json") =>
        {
            Some(lock_file)
        }
        _ => None,
    }
}

/// A framework each, with its packages; projects beside this one have no version.
fn lock_file(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    for (_, framework) in members(&file, "dependencies") {
        let packages = framework
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, package)| text(package, "type") != "Project");
        out.extend(packages.map(|(name, package)| Pin::new(name, text(package, "resolved"))));
    }
    Ok(())
}

/// `libraries` of the form `name/1.0.0`, of type `package`.
fn assets(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    let packages = members(&file, "libraries").filter(|(_, library)| text(library, "type") == "package");
    out.extend(
        packages.filter_map(|(key, _)| key.split_once('/')).map(|(name, version)| Pin::new(name, version)),
    );
    Ok(())
}

/// `<package id="…" version="…" developmentDependency="true" />`.
fn config(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let content = lock.text();
    let mut xml = Xml::from_str(&content);
    let mut is_one = false;
    loop {
        match xml.read_event().map_err(|error| error.to_string())? {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) => {
                is_one |= tag.name().as_ref() == b"packages";
                if !is_one || tag.name().as_ref() != b"package" {
                    continue;
                }
                let field = |key: &str| {
                    let value = tag
                        .try_get_attribute(key)
                        .ok()
                        .flatten()
                        .map(|attribute| attribute.value.into_owned());
                    value.map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default()
                };
                if !field("id").is_empty() && !field("version").is_empty() {
                    out.push(
                        Pin::new(field("id"), field("version"))
                            .only_for(field("developmentDependency") == "true"),
                    );
                }
            }
            _ => {}
        }
    }
    if is_one { Ok(()) } else { Err("there is no `packages`".to_owned()) }
}

/// Below `NUGET`, packages are four spaces deep, what they need six; other sections are repositories and files.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn paket(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let mut nuget = false;
    for line in lock.text().lines() {
        match (line.len() - line.trim_start_matches(' ').len(), line.trim()) {
            (0, section) if !section.is_empty() => nuget = section == "NUGET",
            (4, package) if nuget => {
                let pair =
                    package.split_once(" (").and_then(|(name, rest)| Some((name, rest.split_once(')')?.0)));
                out.extend(pair.map(|(name, version)| Pin::new(name, version)));
            }
            _ => {}
        }
    }
    Ok(())
}
