//! Imports go down only, never sideways: `[workspace.metadata.layers]` of the root manifest against what Cargo says.

use std::{collections::BTreeMap, path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    metadata: Tables,
}

#[derive(Deserialize)]
struct Tables {
    layers: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    kind: Option<String>,
}

pub(super) fn check(root: &Path) -> Result<Vec<String>> {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()
        .context("running cargo metadata")?;
    ensure!(output.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&output.stderr));
    Ok(breaches(&serde_json::from_slice(&output.stdout).context("reading what cargo metadata printed")?))
}

fn breaches(metadata: &Metadata) -> Vec<String> {
    let layer_of: BTreeMap<&str, &str> = metadata
        .metadata
        .layers
        .iter()
        .flat_map(|(layer, names)| names.iter().map(move |name| (name.as_str(), layer.as_str())))
        .collect();
    let mut found = Vec::new();
    for package in &metadata.packages {
        let Some(layer) = layer_of.get(package.name.as_str()) else {
            found.push(format!(
                "Cargo.toml: package {} is in no layer: add it to workspace.metadata.layers",
                package.name
            ));
            continue;
        };
        for dependency in package.dependencies.iter().filter(|d| d.kind.as_deref() != Some("dev")) {
            let Some(below) = layer_of.get(dependency.name.as_str()) else { continue };
            if !is_below(below, layer) {
                found.push(format!(
                    "Cargo.toml: {} (layer {layer}) imports {} (layer {below}): imports go down only",
                    package.name, dependency.name
                ));
            }
        }
    }
    found
}

/// Development crates may use everything; nothing but tests uses them.
fn is_below(below: &str, layer: &str) -> bool {
    match (below.parse::<u8>(), layer.parse::<u8>()) {
        (Ok(below), Ok(layer)) => below < layer,
        (Ok(_), Err(_)) => true,
        (Err(_), _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sideways_and_upwards_are_named() {
        let metadata = serde_json::from_str(
            r#"{"metadata":{"layers":{"0":["a"],"3":["b","c"],"dev":["t"]}},"packages":[
                {"name":"a","dependencies":[{"name":"b","kind":null}]},
                {"name":"b","dependencies":[{"name":"a","kind":null},{"name":"c","kind":null},{"name":"t","kind":"dev"}]},
                {"name":"c","dependencies":[{"name":"t","kind":null}]},
                {"name":"t","dependencies":[{"name":"c","kind":null}]},
                {"name":"stray","dependencies":[]}]}"#,
        )
        .unwrap();
        let found = breaches(&metadata).join("\n");
        for wanted in
            ["a (layer 0) imports b", "b (layer 3) imports c", "c (layer 3) imports t", "package stray"]
        {
            assert!(found.contains(wanted), "{wanted} is missing in:\n{found}");
        }
        assert_eq!(found.lines().count(), 4, "{found}");
    }
}
