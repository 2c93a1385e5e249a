//! `mix.lock`, `rebar.lock`, and Gleam's `manifest.toml`: Erlang terms of a few fixed forms.

use crate::lock::{Lock, Pin, Reader, file_name, list, text};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "mix.lock" => Some(mix),
        "rebar.lock" => Some(rebar),
        "manifest.toml" => Some(gleam),
        _ => None,
    }
}

/// `"name": {:hex, :package, "1.0.0", …}`; other sources (`:git`) have no version.
fn mix(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let text = lock.text();
    for line in text.lines().map(str::trim).filter(|line| line.starts_with('"')) {
        let Some((key, value)) = line.split_once("{:") else { continue };
        let key = key.trim_end().trim_end_matches([':', '=', '>', ' ']).trim_matches('"');
        let mut fields = value.split(',').map(str::trim);
        out.extend(match (fields.next(), fields.next(), fields.next()) {
            (Some("hex"), Some(name), Some(version)) => {
                Some(Pin::new(name.trim_matches([':', '"']), version.trim_matches('"')))
            }
            (Some("git"), ..) => Some(Pin::new(key, "")),
            _ => None,
        });
    }
    if out.is_empty() && !text.trim().is_empty() && !text.contains("%{") {
        return Err("there is no map".to_owned());
    }
    Ok(())
}

/// `{<<"name">>,{pkg,<<"package">>,<<"1.0.0">>},0}`.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn rebar(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    for entry in lock.text().split("{pkg,").skip(1) {
        let mut texts =
            entry.split("<<\"").skip(1).filter_map(|rest| rest.split_once("\">>")).map(|(text, _)| text);
        if let (Some(name), Some(version)) = (texts.next(), texts.next()) {
            out.push(Pin::new(name, version));
        }
    }
    Ok(())
}

/// `packages = [{ name = "…", version = "…", source = "hex", … }]`. Other programs call files so, too.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn gleam(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let Ok(file) = lock.toml() else { return Ok(()) };
    let from_hex = list(&file, "packages").filter(|package| text(package, "source") == "hex");
    out.extend(from_hex.map(|package| Pin::new(text(package, "name"), text(package, "version"))));
    Ok(())
}
