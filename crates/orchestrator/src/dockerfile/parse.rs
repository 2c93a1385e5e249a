//! Lines to instructions, instructions to stages.

use std::collections::BTreeMap;

use super::{DockerfileError, Instruction, MAX_INSTRUCTIONS, Stage, shell};
use crate::leaf::{Leaf, Place};

/// Here-documents of one instruction.
const MAX_DOCUMENTS: usize = 64;
/// Instructions with flags of their own.
const FLAGGED: [&str; 6] = ["ADD", "COPY", "FROM", "HEALTHCHECK", "ONBUILD", "RUN"];
/// Instructions that are looked at behind `ONBUILD`, too.
const TRIGGERS: [&str; 4] = ["ADD", "COPY", "ENV", "RUN"];
/// Every instruction.
const WORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

type Lines<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::Lines<'a>>>;

/// All of a file.
pub fn parse(text: &str) -> Result<(Vec<Instruction>, Vec<Stage>), DockerfileError> {
    let escape = escape(text);
    let mut lines: Lines<'_> = text.lines().enumerate().peekable();
    let mut out = Vec::new();
    while let Some((index, line)) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if out.len() >= MAX_INSTRUCTIONS {
            return Err(DockerfileError::Limit { what: "2,000 instructions" });
        }
        let whole = joined(line, escape, &mut lines);
        let one = instruction(number(index), &whole, &mut lines)?;
        let onbuild = (one.word == "ONBUILD").then(|| one.text.clone());
        out.push(one);
        // What it adds and runs it does in whatever is built on this image; whom it makes a user does not count here.
        if let Some(text) = onbuild {
            let trigger = instruction(number(index), &text, &mut lines)?;
            if TRIGGERS.contains(&trigger.word.as_str()) {
                out.push(trigger);
            }
        }
    }
    let stages = stages(&mut out);
    if stages.is_empty() {
        let line = out.first().map_or(1, |one| one.line);
        return Err(DockerfileError::Syntax { line, why: "there is no FROM".to_owned() });
    }
    Ok((out, stages))
}

fn number(index: usize) -> u32 {
    u32::try_from(index.saturating_add(1)).unwrap_or(u32::MAX)
}

/// Directives stand before everything else, each at most once.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some((name, value)) = line.trim().strip_prefix('#').and_then(|rest| rest.split_once('=')) else {
            break;
        };
        if name.trim().eq_ignore_ascii_case("escape") && value.trim() == "`" {
            return '`';
        }
    }
    '\\'
}

/// A line and those that continue it; comments and empty lines between them are passed over.
fn joined(first: &str, escape: char, lines: &mut Lines<'_>) -> String {
    let mut out = String::new();
    let mut line = first;
    loop {
        let Some(begun) = line.trim_end().strip_suffix(escape) else {
            out.push_str(line);
            return out;
        };
        out.push_str(begun);
        loop {
            let Some((_, next)) = lines.next() else { return out };
            let trimmed = next.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                line = next;
                break;
            }
        }
    }
}

fn instruction(line: u32, whole: &str, lines: &mut Lines<'_>) -> Result<Instruction, DockerfileError> {
    let trimmed = whole.trim();
    let (word, rest) = trimmed.split_once(char::is_whitespace).unwrap_or((trimmed, ""));
    let upper = word.to_ascii_uppercase();
    if !WORDS.contains(&upper.as_str()) {
        let shown: String =
            word.chars().take(40).map(|sign| if sign.is_control() { '?' } else { sign }).collect();
        return Err(DockerfileError::Syntax { line, why: format!("`{shown}` is no instruction") });
    }
    let mut rest = rest.trim_start();
    let mut flags = Vec::new();
    while FLAGGED.contains(&upper.as_str()) && rest.starts_with("--") {
        let (flag, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        flags.push(flag.to_owned());
        rest = after.trim_start();
    }
    let mut documents = Vec::new();
    if matches!(upper.as_str(), "RUN" | "COPY" | "ADD") {
        for (end, tabs) in endings(rest).into_iter().take(MAX_DOCUMENTS) {
            let found = document(&end, tabs, lines);
            documents.push(found.ok_or_else(|| {
                let why = format!("the here-document `{end}` has no end");
                DockerfileError::Syntax { line, why }
            })?);
        }
    }
    Ok(Instruction { line, word: upper, flags, text: rest.to_owned(), documents, stage: None })
}

/// Words that end the here-documents of a text, and whether tabs before lines count for nothing.
fn endings(text: &str) -> Vec<(String, bool)> {
    let mut all = Vec::new();
    let mut rest = text;
    let mut quote = None;
    while let Some((before, after)) = rest.split_once("<<") {
        rest = after;
        quote = quoted(before, quote);
        // Within quotes it is text.
        if quote.is_some() {
            continue;
        }
        // `<<<` is a word, not a document; a number before it is a file.
        if after.starts_with('<') {
            rest = after.trim_start_matches('<');
            continue;
        }
        let begins =
            before.chars().next_back().is_none_or(|sign| sign.is_whitespace() || sign.is_ascii_digit());
        let (tabs, word) = after.strip_prefix('-').map_or((false, after), |word| (true, word));
        let sign = word.chars().next().filter(|sign| matches!(sign, '"' | '\''));
        let word = sign.map_or(word, |sign| word.trim_start_matches(sign));
        let length = word.find(|sign: char| !(sign.is_alphanumeric() || sign == '_')).unwrap_or(word.len());
        let name = word.get(..length).unwrap_or_default();
        if begins && !name.is_empty() {
            all.push((name.to_owned(), tabs));
        }
    }
    all
}

/// The quote that is open after `text`, if one was before it or opens in it.
fn quoted(text: &str, before: Option<char>) -> Option<char> {
    let mut open = before;
    let mut signs = text.chars();
    while let Some(sign) = signs.next() {
        match (open, sign) {
            (None | Some('"'), '\\') => {
                signs.next();
            }
            (None, '"' | '\'') => open = Some(sign),
            (Some(quote), sign) if quote == sign => open = None,
            _ => {}
        }
    }
    open
}

/// The lines before the one that ends it; nothing where no line does.
fn document(end: &str, tabs: bool, lines: &mut Lines<'_>) -> Option<String> {
    let mut out = String::new();
    for (_, line) in lines.by_ref() {
        let content = if tabs { line.trim_start_matches('\t') } else { line };
        if content == end {
            return Some(out);
        }
        out.push_str(content);
        out.push('\n');
    }
    None
}

/// Which stage each instruction belongs to.
fn stages(instructions: &mut [Instruction]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    let mut defaults: BTreeMap<String, Option<String>> = BTreeMap::new();
    for one in instructions {
        if one.word == "FROM" {
            let stage = stage(one, &stages, &defaults);
            stages.push(stage);
        } else if one.word == "ARG" && stages.is_empty() {
            defaults.extend(one.pairs());
        }
        one.stage = stages.len().checked_sub(1);
    }
    stages
}

fn stage(from: &Instruction, before: &[Stage], defaults: &BTreeMap<String, Option<String>>) -> Stage {
    let words = shell::words(&from.text);
    let place = Place { line: from.line, path: "FROM".to_owned() };
    let image = match words.first() {
        None => Leaf::Unset(place),
        Some(written) => match filled(written, defaults) {
            Ok(image) => Leaf::Set(image, place),
            Err(name) => {
                let why = format!("{written} depends on {name}, which whoever builds gives");
                Leaf::Unknown(why, place)
            }
        },
    };
    let named = |stage: &Stage| {
        image.known().is_some_and(|image| stage.name.as_deref() == Some(image.to_ascii_lowercase().as_str()))
    };
    let on = before.iter().rposition(named);
    let name = match words.get(1) {
        Some(word) if word.eq_ignore_ascii_case("as") => words.get(2).map(|name| name.to_ascii_lowercase()),
        _ => None,
    };
    Stage { line: from.line, name, image, on }
}

/// Variables with a default put in; the error is the name of one without.
fn filled(text: &str, defaults: &BTreeMap<String, Option<String>>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let (name, own, end) = if let Some(inner) = after.strip_prefix('{') {
            let Some((inner, end)) = inner.split_once('}') else { return Err(text.to_owned()) };
            match inner.split_once(":-").or_else(|| inner.split_once('-')) {
                Some((name, own)) => (name, Some(own), end),
                None => (inner, None, end),
            }
        } else {
            let is_end = |sign: char| !(sign.is_alphanumeric() || sign == '_');
            let (name, end) = after.split_at(after.find(is_end).unwrap_or(after.len()));
            (name, None, end)
        };
        let known = defaults.get(name).and_then(|value| value.as_deref()).or(own);
        out.push_str(known.ok_or_else(|| name.to_owned())?);
        rest = end;
    }
    out.push_str(rest);
    Ok(out)
}
