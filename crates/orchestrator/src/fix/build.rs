//! Plain mends of Dockerfiles: another word in a line that stays what it was otherwise.

use super::Edit;
use crate::checks::Finding;

/// What `apt-get` does as `apt` does it; the rest of `apt` has other names there.
const VERBS: [&str; 8] =
    ["install", "update", "upgrade", "full-upgrade", "remove", "purge", "autoremove", "clean"];
/// The longest address of a maintainer that becomes a label.
const MAX_NAME: usize = 200;

/// What mends as many of `findings` as can be mended plainly.
pub(super) fn edits(text: &str, findings: &[Finding]) -> Vec<Edit> {
    let lines: Vec<&str> = text.lines().collect();
    let mut mended: Vec<Option<String>> = vec![None; lines.len()];
    for finding in findings.iter().filter(|finding| finding.sure) {
        let start = usize::try_from(finding.line).unwrap_or(usize::MAX).saturating_sub(1);
        for (index, line) in lines.iter().enumerate().skip(start) {
            let is_comment = line.trim_start().starts_with('#');
            if let Some(place) = mended.get_mut(index).filter(|_| !is_comment) {
                let now = place.as_deref().unwrap_or(line);
                if let Some(better) = mend(finding, now, index == start) {
                    *place = Some(better);
                }
            }
            // The instruction ends with the first line that is not continued.
            if !line.trim_end().ends_with(['\\', '`']) && !is_comment {
                break;
            }
        }
    }
    let changed = mended.into_iter().enumerate().filter_map(|(index, line)| Some((index, line?)));
    changed
        .filter(|(index, line)| lines.get(*index) != Some(&line.as_str()))
        .map(|(index, line)| Edit::Replace(index, line))
        .collect()
}

fn mend(finding: &Finding, line: &str, is_first: bool) -> Option<String> {
    match finding.id {
        "build-add" if is_first => begins(line, "ADD").map(|rest| format!("COPY{rest}")),
        "build-maintainer" if is_first => {
            let name = begins(line, "MAINTAINER")?.trim().trim_matches('"');
            let plain = !name.is_empty() && name.len() <= MAX_NAME && !name.contains(['"', '\\', '$', '`']);
            plain.then(|| format!("LABEL org.opencontainers.image.authors=\"{name}\""))
        }
        "build-apt" => {
            let mut out = line.to_owned();
            for verb in VERBS {
                for options in ["", "-y ", "-qq ", "--yes "] {
                    let (old, new) = (format!("apt {options}{verb}"), format!("apt-get {options}{verb}"));
                    out = replaced(&out, &old, &new);
                }
            }
            Some(out)
        }
        "build-package-cache" => {
            let all = replaced(line, "apk add", "apk add --no-cache");
            Some(all.replace("--no-cache --no-cache", "--no-cache"))
        }
        _ => None,
    }
}

/// What comes after the word with which a line begins.
fn begins<'a>(line: &'a str, word: &str) -> Option<&'a str> {
    let head = line.get(..word.len())?;
    let rest = line.get(word.len()..)?;
    (head.eq_ignore_ascii_case(word) && rest.starts_with([' ', '\t'])).then_some(rest)
}

/// Every place where the words stand by themselves, and are not part of others.
fn replaced(line: &str, old: &str, new: &str) -> String {
    let mut out = String::with_capacity(line.len() + 16);
    let mut rest = line;
    while let Some((before, after)) = rest.split_once(old) {
        let is_part =
            |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | '/' | '.' | '"' | '\'');
        let alone =
            !before.chars().next_back().is_some_and(is_part) && !after.chars().next().is_some_and(is_part);
        out.push_str(before);
        out.push_str(if alone { new } else { old });
        rest = after;
    }
    out.push_str(rest);
    out
}
