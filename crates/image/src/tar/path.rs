//! Names as a container runtime would use them.

use super::Problem;
use crate::Limits;

/// `raw` relative to the root and without `.`, `..` and double slashes; the root itself is empty.
///
/// A `..` that would leave the root stays in it, and absolute names start at it: containerd does the same, and a
/// container then sees the file there. Refusing would hide it.
pub fn clean(raw: &str, limits: &Limits) -> Result<String, Problem> {
    // What is longer before cleaning may be shorter after; twice the limit is still cheap to look at.
    if raw.len() > limits.path.saturating_mul(2) {
        return Err(Problem::limit("bytes in a path", limits.path as u64));
    }
    if raw.contains('\0') {
        return Err(Problem::Broken("a name with a zero byte".into()));
    }
    let mut path = String::with_capacity(raw.len());
    let mut depth = 0;
    for part in raw.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                path.truncate(path.rfind('/').unwrap_or(0));
                depth = if path.is_empty() { 0 } else { depth - 1 };
            }
            name => {
                if depth > 0 {
                    path.push('/');
                }
                path.push_str(name);
                depth += 1;
                if depth > limits.depth {
                    return Err(Problem::limit("names in a path", limits.depth as u64));
                }
            }
        }
    }
    if path.len() > limits.path {
        return Err(Problem::limit("bytes in a path", limits.path as u64));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_the_root() {
        for (raw, path) in [
            ("./", ""),
            ("/", ""),
            ("", ""),
            ("..", ""),
            ("./etc/passwd", "etc/passwd"),
            ("/etc//passwd/", "etc/passwd"),
            ("../../etc/shadow", "etc/shadow"),
            ("a/../../b", "b"),
            ("a/b/../c/./d", "a/c/d"),
            ("...", "..."),
        ] {
            assert_eq!(clean(raw, &Limits::default()).unwrap(), path, "{raw}");
        }
    }

    #[test]
    fn refuses_what_linux_could_not_create() {
        for raw in ["a/".repeat(600), "a".repeat(5000), "a".repeat(10_000), "a\0b".to_owned()] {
            assert!(clean(&raw, &Limits::default()).is_err());
        }
    }
}
