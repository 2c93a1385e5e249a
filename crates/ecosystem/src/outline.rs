//! Files that programs write as indented lines, a subset of YAML: `pnpm-lock.yaml`, `yarn.lock`, `pubspec.lock`, ….
//!
//! Their writers never use what makes YAML hard (anchors, tags, folded texts), and their readers need one level or two.
//! So lines are enough: linear, without recursion, and whatever the input, without an error.

/// One line that is neither empty nor a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Spaces before it; the hyphens of lists count as spaces.
    pub indent: usize,
    /// Whether it is an element of a list.
    pub item: bool,
    /// What stands before the colon, or everything.
    pub key: &'a str,
    /// What stands behind it.
    pub value: &'a str,
}

/// The lines of `text`.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    text.lines().filter_map(|line| {
        let mut rest = line.trim_end();
        let mut item = false;
        loop {
            let trimmed = rest.trim_start_matches(' ');
            if let Some(after) = trimmed.strip_prefix("- ") {
                (rest, item) = (after, true);
            } else {
                rest = trimmed;
                break;
            }
        }
        if rest.is_empty() || rest.starts_with('#') {
            return None;
        }
        let (key, value) = pair(rest);
        Some(Line {
            indent: line.trim_end().len() - rest.len(),
            item,
            key: unquote(key),
            value: unquote(value),
        })
    })
}

/// Splits at the first colon that ends a key: one outside quotes that a space or the end follows.
fn pair(line: &str) -> (&str, &str) {
    let skip = match line.chars().next() {
        Some(quote @ ('"' | '\'')) => {
            line.get(1..).and_then(|rest| rest.find(quote)).map_or(0, |end| end + 2)
        }
        _ => 0,
    };
    let rest = line.get(skip..).unwrap_or_default();
    let colon = rest.find(": ").or_else(|| rest.ends_with(':').then(|| rest.len() - 1));
    match colon.map(|at| skip + at) {
        Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default().trim()),
        None => (line, ""),
    }
}

/// Without the quotes around it.
pub(crate) fn unquote(text: &str) -> &str {
    let inner = |quote: char| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inner('"').or_else(|| inner('\'')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_values_and_depth() {
        let text = "# no\n\na:\n  '@b/c@1.0.0: x': {}\n  - d: \"e\"\n    https://f:80/g: h\n\"i@npm:1\":\n  j \"k\"\n";
        let found: Vec<_> = lines(text).map(|l| (l.indent, l.item, l.key, l.value)).collect();
        let expected = [
            (0, false, "a", ""),
            (2, false, "@b/c@1.0.0: x", "{}"),
            (4, true, "d", "e"),
            (4, false, "https://f:80/g", "h"),
            (0, false, "i@npm:1", ""),
            (2, false, "j \"k\"", ""),
        ];
        assert_eq!(found, expected);
        for odd in ["\"", "'", ":", "- ", "- - -", "\":\"", "'a", "-"] {
            let _ = lines(odd).count();
        }
    }
}
