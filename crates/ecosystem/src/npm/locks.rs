//! What Node projects pin: `package-lock.json` and `npm-shrinkwrap.json` (1 to 3), `yarn.lock` (1, and Berry's),
//! `pnpm-lock.yaml` (5 to 9), `bun.lock`.

use serde_json::Value;

use super::{pnpm, yarn};
use crate::lock::{Lock, Pin, Reader, file_name, members, text};

/// Packages inside packages inside packages: npm nests some ten deep, JSON itself ends at 128.
const MAX_DEPTH: usize = 64;

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        // What is installed describes itself; lock files that were published by mistake are of no use to anybody.
        _ if path.starts_with("node_modules/") || path.contains("/node_modules/") => None,
        "package-lock.json" => Some(beside_shrinkwrap),
        "npm-shrinkwrap.json" => Some(npm),
        "yarn.lock" => Some(yarn::read),
        "pnpm-lock.yaml" => Some(pnpm::read),
        "bun.lock" => Some(bun),
        "bun.lockb" => Some(bun_binary),
        _ => None,
    }
}

/// A version, or nothing where it is an address of a repository, a file or an archive.
pub(super) fn version(text: &str) -> &str {
    if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains([':', '/']) { text } else { "" }
}

/// npm reads `npm-shrinkwrap.json` where there are both (npm documentation, "npm-shrinkwrap.json").
fn beside_shrinkwrap(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    if lock.beside("npm-shrinkwrap.json").is_some() { Ok(()) } else { npm(lock, out) }
}

fn npm(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let file = lock.json()?;
    if members(&file, "packages").next().is_none() {
        return nested(&file, 0, out);
    }
    for (path, package) in members(&file, "packages") {
        // The project itself, its workspaces, and links to them have no folder of their own in `node_modules`.
        let Some((_, folder)) = path.rsplit_once("node_modules/") else { continue };
        if package.get("link").is_some() {
            continue;
        }
        let name = Some(text(package, "name")).filter(|name| !name.is_empty()).unwrap_or(folder);
        let from = text(package, "resolved");
        let unpublished = from.starts_with("git") && from.contains(':');
        let version = if unpublished { "" } else { version(text(package, "version")) };
        let flag = |key: &str| package.get(key).and_then(Value::as_bool) == Some(true);
        out.push(Pin::new(name, version).only_for(flag("dev") || flag("devOptional")));
    }
    Ok(())
}

/// Version 1: packages inside the packages that need them.
fn nested(package: &Value, depth: usize, out: &mut Vec<Pin>) -> Result<(), String> {
    if depth > MAX_DEPTH {
        return Err(format!("packages are nested deeper than {MAX_DEPTH}"));
    }
    for (name, inner) in members(package, "dependencies") {
        let asked = text(inner, "version");
        let alias = asked.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@'));
        let (name, version) = alias.unwrap_or((name, version(asked)));
        out.push(Pin::new(name, version).only_for(inner.get("dev").and_then(Value::as_bool) == Some(true)));
        nested(inner, depth + 1, out)?;
    }
    Ok(())
}

/// Bun's text form: JSON with comments and trailing commas; a package is a list that begins with `name@version`.
fn bun(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let plain = without_extras(&lock.text());
    let file: Value = serde_json::from_str(&plain).map_err(|error| error.to_string())?;
    let needed = super::bun::needed(&file);
    for (key, package) in members(&file, "packages") {
        let Some(label) = package.get(0).and_then(Value::as_str) else { continue };
        let Some(at) = label.get(1..).and_then(|rest| rest.find('@')).map(|at| at + 1) else { continue };
        let (name, from) = label.split_at(at);
        let from = from.trim_start_matches('@');
        if !from.starts_with("workspace:") {
            let development = needed.as_ref().is_some_and(|needed| !needed.contains(key));
            out.push(Pin::new(name, version(from)).only_for(development));
        }
    }
    Ok(())
}

fn bun_binary(_: &Lock<'_>, _: &mut Vec<Pin>) -> Result<(), String> {
    Err("the binary form of bun's lock file is not read; `bun install --save-text-lockfile` writes the text form".to_owned())
}

/// Drops comments and commas before a closing bracket, outside texts.
fn without_extras(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let (mut inside, mut comma) = (false, None);
    while let Some(character) = characters.next() {
        if inside {
            plain.push(character);
            match character {
                '\\' => plain.extend(characters.next()),
                '"' => inside = false,
                _ => {}
            }
            continue;
        }
        match character {
            '/' if characters.peek() == Some(&'/') => while characters.next().is_some_and(|c| c != '\n') {},
            '/' if characters.peek() == Some(&'*') => {
                let mut last = ' ';
                for next in characters.by_ref().skip(1) {
                    if last == '*' && next == '/' {
                        break;
                    }
                    last = next;
                }
            }
            c if c.is_whitespace() => {}
            ',' => comma = Some(()),
            other => {
                if comma.take().is_some() && !matches!(other, ']' | '}') {
                    plain.push(',');
                }
                inside = other == '"';
                plain.push(other);
            }
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_with_extras() {
        for (text, expected) in [
            ("{\"a\": [1, 2,], // no\n \"b,}\": \"\\\"//\",}", "{\"a\":[1,2],\"b,}\":\"\\\"//\"}"),
            ("/* x */[/**/1,/* , */]", "[1]"),
            ("/*", ""),
            ("\"\\", "\"\\"),
        ] {
            assert_eq!(without_extras(text), expected);
        }
    }
}
