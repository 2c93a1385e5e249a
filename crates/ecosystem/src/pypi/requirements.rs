//! `requirements.txt`: one requirement a line (pip documentation, "Requirements File Format"; PEP 508).

use crate::lock::{Lock, Pin, file_end, file_name};

/// Whether the file at `path` is one by its name: `requirements.txt`, `requirements-dev.txt`, `requirements/base.txt`.
pub(super) fn is_one(path: &str) -> bool {
    let name = file_name(path);
    let in_folder = || path.rsplit('/').nth(1) == Some("requirements");
    let is_named = name.starts_with("requirements") || name.ends_with("requirements.txt");
    file_end(name) == Some("txt") && (is_named || in_folder())
}

/// Only `==` with a whole version tells what is installed; of anything else only the name is known.
pub(super) fn read(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let development = ["dev", "test", "doc", "lint"].iter().any(|word| file_name(lock.path).contains(word));
    let text = lock.text().replace("\\\r\n", " ").replace("\\\n", " ");
    let mut wrong = None;
    for (number, line) in text.lines().enumerate() {
        match requirement(line) {
            Ok(pin) => out.extend(pin.map(|pin| pin.only_for(development))),
            Err(()) => wrong = wrong.or(Some(number + 1)),
        }
    }
    wrong.map_or(Ok(()), |line| Err(format!("line {line} is no requirement")))
}

/// Nothing for empty lines, options, and what has no name of its own.
fn requirement(line: &str) -> Result<Option<Pin>, ()> {
    let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or(line) };
    let line = line.split(" --").next().unwrap_or(line);
    let line = line.split(';').next().unwrap_or(line).trim().trim_end_matches('\\').trim_end();
    // Options, paths, addresses, and what environment variables or templates fill in later.
    if line.is_empty() || line.starts_with(['-', '.', '/']) || line.contains(['$', '{']) {
        return Ok(None);
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let (name, rest) = line.split_at(line.find(|c| !is_name(c)).unwrap_or(line.len()));
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']').ok_or(())?.1.trim_start(),
        None => rest,
    };
    if rest.starts_with("://") || rest.starts_with('+') {
        return Ok(None);
    }
    if name.is_empty() || !(rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', '@', '('])) {
        return Err(());
    }
    Ok(Some(Pin::new(name, exact(rest))))
}

/// The version of `== 1.0`; empty for anything that leaves a choice.
fn exact(specifiers: &str) -> &str {
    let version = specifiers.strip_prefix("==").map(|rest| rest.trim_start_matches('=').trim());
    version.filter(|version| !version.contains([',', '*', ' '])).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        for (line, expected) in [
            ("requests==2.31.0", Ok(Some(("requests", "2.31.0")))),
            ("celery [redis, pytest] == 4.4.7 ; python_version < '3'", Ok(Some(("celery", "4.4.7")))),
            ("a===1 --hash=sha256:00 --hash=sha256:11", Ok(Some(("a", "1")))),
            ("a==1.* # any", Ok(Some(("a", "")))),
            ("a>=1,<2", Ok(Some(("a", "")))),
            ("PyCrypto", Ok(Some(("PyCrypto", "")))),
            ("a @ https://host/a.whl", Ok(Some(("a", "")))),
            ("https://host/a.whl", Ok(None)),
            ("git+https://host/a", Ok(None)),
            ("-r other.txt", Ok(None)),
            ("a==${VERSION}", Ok(None)),
            ("# a==1", Ok(None)),
            ("a 1.0", Err(())),
            ("==1.0", Err(())),
        ] {
            let found = requirement(line);
            let expected = expected.map(|pin| pin.map(|(name, version)| Pin::new(name, version)));
            assert_eq!(found, expected, "{line}");
        }
    }
}
