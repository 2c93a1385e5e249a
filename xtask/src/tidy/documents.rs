//! Rules about prose: the map names every crate, links between documents lead somewhere, every fuzz target has seeds.

use std::path::Path;

use anyhow::Result;

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let mut found = missing_in_map(root)?;
    for path in super::files(root, ".md")? {
        let text = super::read(&path)?;
        let folder = path.parent().unwrap_or(root);
        for target in links(&text).filter(|target| !target.starts_with('#') && !target.contains("://")) {
            let file = target.split('#').next().unwrap_or_default();
            if !folder.join(file).exists() {
                found.push(format!("{}: the link to {target} leads nowhere", super::shown(root, &path)));
            }
        }
    }
    found.extend(targets_without_seeds(root)?);
    Ok(found)
}

fn missing_in_map(root: &Path) -> Result<Vec<String>> {
    let map = super::read(&root.join("ARCHITECTURE.md"))?;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !map.contains(&format!("`{name}`")) {
            found.push(format!("ARCHITECTURE.md: crate `{name}` is not on the map"));
        }
    }
    Ok(found)
}

/// The targets of `[text](target)`; enough Markdown for our own documents.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn targets_without_seeds(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for target in super::files(&root.join("fuzz/targets"), ".rs")? {
        let name = target.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let seeds = root.join("fuzz/seeds").join(&name);
        if !seeds.read_dir().is_ok_and(|mut seeds| seeds.next().is_some()) {
            found.push(format!("fuzz/seeds/{name}: fuzz target without seeds"));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #[test]
    fn finds_links() {
        let text = "see [a](docs/a.md) and [b](https://example.org) and [c](x.md#y).";
        assert_eq!(super::links(text).collect::<Vec<_>>(), ["docs/a.md", "https://example.org", "x.md#y"]);
    }
}
