//! A strict reader of our own pages: every tag closed, every attribute quoted, nothing that runs.

/// One element as it starts.
#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(this, _)| this == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 5] = ["meta", "link", "input", "br", "img"];

/// Every element of `page`, or where it is not well-formed.
pub fn read(page: &str) -> Result<Vec<Element>, String> {
    let mut elements = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
    while let Some(start) = rest.find('<') {
        let (text, tag) = rest.split_at(start);
        if text.contains('>') {
            return Err(format!("a bare > in {text:?}"));
        }
        let end = end_of(tag).ok_or_else(|| format!("no end of {tag:.80}"))?;
        let inside = &tag[1..end];
        rest = &tag[end + 1..];
        if let Some(name) = inside.strip_prefix('/') {
            let last = open.pop();
            if last.as_deref() != Some(name) {
                return Err(format!("</{name}> closes {last:?}"));
            }
            continue;
        }
        let element = element(inside)?;
        if !VOID.contains(&element.name.as_str()) {
            open.push(element.name.clone());
        }
        elements.push(element);
    }
    if open.is_empty() { Ok(elements) } else { Err(format!("never closed: {open:?}")) }
}

/// The `>` of the tag that `text` starts with, past quoted values.
fn end_of(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(index, sign)| {
        quoted ^= sign == '"';
        (sign == '>' && !quoted).then_some(index)
    })
}

fn element(inside: &str) -> Result<Element, String> {
    let (name, mut rest) = inside.split_once(' ').unwrap_or((inside, ""));
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(format!("<{inside}> is not a tag"));
    }
    let mut attributes = Vec::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(['=', ' ']).unwrap_or(rest.len());
        let (key, after) = rest.split_at(end);
        if let Some(value) = after.strip_prefix("=\"") {
            let close = value.find('"').ok_or_else(|| format!("no end quote in {inside}"))?;
            attributes.push((key.to_owned(), value[..close].replace("&amp;", "&")));
            rest = &value[close + 1..];
        } else if after.starts_with('=') {
            return Err(format!("an unquoted value in <{inside}>"));
        } else {
            attributes.push((key.to_owned(), String::new()));
            rest = after;
        }
    }
    Ok(Element { name: name.to_owned(), attributes })
}

/// What a page may never hold, whatever strangers wrote into names, titles and addresses.
pub fn check(path: &str, page: &str) -> Vec<Element> {
    let elements = read(page).unwrap_or_else(|problem| panic!("{path}: {problem}"));
    let mut ids = std::collections::BTreeSet::new();
    for element in &elements {
        if element.name == "script" {
            assert!(
                element.attribute("src").is_some_and(|src| src.starts_with("/assets/")),
                "{path}: {element:?}"
            );
        }
        for (name, value) in &element.attributes {
            assert!(!name.starts_with("on") && name != "style", "{path}: {element:?}");
            if name == "href" || name == "src" || name == "action" {
                let fine =
                    ["/", "https://", "http://", "#", "?"].iter().any(|start| value.starts_with(start));
                assert!(fine && !value.starts_with("//"), "{path}: {element:?}");
            }
            if name == "id" {
                assert!(ids.insert(value.clone()), "{path}: id {value} is there twice");
            }
        }
    }
    let labelled = elements.iter().filter_map(|element| element.attribute("aria-labelledby"));
    for label in labelled {
        assert!(ids.contains(label), "{path}: aria-labelledby {label} points nowhere");
    }
    assert_eq!(elements.iter().filter(|element| element.name == "h1").count(), 1, "{path}: one h1");
    elements
}

#[test]
fn the_reader_sees_what_is_wrong() {
    let wrap = |body: &str| format!("<!DOCTYPE html><html>{body}</html>");
    assert!(read(&wrap("<p class=\"a\">x<br></p>")).is_ok());
    for bad in ["<p>", "</p>", "<p class=a></p>", "<p>></p>", "<b><i></b></i>", "<p title=\"></p>"] {
        assert!(read(&wrap(bad)).is_err(), "{bad}");
    }
}
