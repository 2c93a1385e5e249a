//! Edits as a patch that `patch -p0` takes, and made at once.
//!
//! Ends of lines stay as they are: what is added ends like the line before it. Where the last line has no end, it gets one if
//! it is changed, as an editor would do it.

use std::{borrow::Cow, fmt::Write as _};

use super::Edit;

/// Lines around a change.
const CONTEXT: usize = 3;

/// `text` with the edits made.
pub fn applied(text: &str, edits: &[Edit]) -> String {
    let mut out = String::with_capacity(text.len() + 256);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        match changed(edits, index, line) {
            Some(new) => out.extend(new),
            None => out.push_str(line),
        }
    }
    out
}

/// The lines that stand there afterwards, with their ends; nothing where the line stays and none is added.
fn changed(edits: &[Edit], index: usize, line: &str) -> Option<Vec<String>> {
    let end = if line.ends_with("\r\n") { "\r\n" } else { "\n" };
    let of_this = |edit: &&Edit| matches!(edit, Edit::Replace(at, _) | Edit::Add(at, _) if *at == index);
    let mut edits = edits.iter().filter(of_this).peekable();
    edits.peek()?;
    let mut first = line.trim_end_matches(['\r', '\n']);
    let mut added = Vec::new();
    for edit in edits {
        match edit {
            Edit::Replace(_, text) => first = text,
            Edit::Add(_, lines) => added.extend(lines),
        }
    }
    let all = std::iter::once(first).chain(added.into_iter().map(String::as_str));
    Some(all.map(|line| format!("{line}{end}")).collect())
}

/// The edits as a patch (`patch -p0`).
pub fn diff(name: &str, text: &str, edits: &[Edit]) -> String {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut touched: Vec<usize> = edits
        .iter()
        .map(|edit| match edit {
            Edit::Replace(line, _) | Edit::Add(line, _) => *line,
        })
        .collect();
    touched.sort_unstable();
    touched.dedup();
    if touched.is_empty() {
        return String::new();
    }
    let name = quoted(name);
    let mut out = format!("--- {name}\n+++ {name}\n");
    let mut grown = 0usize;
    let mut rest = touched.as_slice();
    while let Some(first) = rest.first() {
        let near = |pair: &[usize]| matches!(pair, [a, b] if b - a <= 2 * CONTEXT);
        let length = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (hunk, others) = rest.split_at(length);
        let from = first.saturating_sub(CONTEXT);
        let to = (hunk.last().copied().unwrap_or(*first) + CONTEXT + 1).min(lines.len());
        let mut body = String::new();
        let (mut before, mut after) = (0usize, 0usize);
        for (index, line) in lines.iter().enumerate().take(to).skip(from) {
            before += 1;
            let new = changed(edits, index, line).unwrap_or_else(|| vec![(*line).to_owned()]);
            after += new.len();
            // A line that stays is the first of what stands there then.
            let stays = new.first().is_some_and(|first| first == line);
            put(&mut body, if stays { ' ' } else { '-' }, line);
            for line in new.iter().skip(usize::from(stays)) {
                put(&mut body, '+', line);
            }
        }
        let _ = write!(out, "@@ -{},{before} +{},{after} @@\n{body}", from + 1, from + 1 + grown);
        grown += after - before;
        rest = others;
    }
    out
}

fn put(body: &mut String, sign: char, line: &str) {
    body.push(sign);
    body.push_str(line);
    if !line.ends_with('\n') {
        body.push_str("\n\\ No newline at end of file\n");
    }
}

/// A name as `patch` reads it: it ends at a tab, and what could end the line stands in quotes.
fn quoted(name: &str) -> Cow<'_, str> {
    if name.contains(|sign: char| sign.is_control() || matches!(sign, '"' | '\\')) {
        let mut out = String::from('"');
        for byte in name.bytes() {
            match byte {
                b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
                b' '..=b'~' => out.push(char::from(byte)),
                _ => {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
        }
        out.push('"');
        Cow::Owned(out)
    } else if name.contains(' ') {
        Cow::Owned(format!("{name}\t"))
    } else {
        Cow::Borrowed(name)
    }
}
