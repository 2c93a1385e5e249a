//! Lock files of Gradle (Gradle user manual, "Locking versions" and "Verifying dependencies").

use quick_xml::{Reader as Xml, events::Event};

use crate::lock::{Lock, Pin, Reader, file_name};

pub(super) fn reader(path: &str) -> Option<Reader> {
    match file_name(path) {
        "gradle.lockfile" => Some(project),
        "buildscript-gradle.lockfile" => Some(build_script),
        "verification-metadata.xml" => Some(verification),
        _ => None,
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn project(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    lines(&lock.text(), out);
    Ok(())
}

/// What the build itself needs.
#[expect(clippy::unnecessary_wraps, reason = "the form of every reader")]
fn build_script(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let before = out.len();
    lines(&lock.text(), out);
    out.iter_mut().skip(before).for_each(|pin| pin.development = true);
    Ok(())
}

/// `group:artifact:version=configuration,…`.
fn lines(text: &str, out: &mut Vec<Pin>) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (coordinates, configurations) = line.split_once('=').unwrap_or((line, ""));
        let Some((name, version)) = coordinates.rsplit_once(':').filter(|(name, _)| name.contains(':'))
        else {
            continue;
        };
        let for_tests = |name: &str| name.starts_with("test") || name.contains("Test");
        let development =
            !configurations.is_empty() && configurations.split(',').map(str::trim).all(for_tests);
        out.push(Pin::new(name, version).only_for(development));
    }
}

/// `<component group="…" name="…" version="…">`.
fn verification(lock: &Lock<'_>, out: &mut Vec<Pin>) -> Result<(), String> {
    let content = lock.text();
    let mut xml = Xml::from_str(&content);
    let mut wrong = false;
    loop {
        match xml.read_event().map_err(|error| error.to_string())? {
            Event::Eof => break,
            Event::Start(tag) | Event::Empty(tag) if tag.name().as_ref() == b"component" => {
                let field = |key: &str| {
                    let value = tag
                        .try_get_attribute(key)
                        .ok()
                        .flatten()
                        .map(|attribute| attribute.value.into_owned());
                    value.map(|value| String::from_utf8_lossy(&value).into_owned()).unwrap_or_default()
                };
                let [group, name, version] = ["group", "name", "version"].map(field);
                if group.is_empty() || name.is_empty() || version.is_empty() {
                    wrong = true;
                } else {
                    out.push(Pin::new(format!("{group}:{name}"), version));
                }
            }
            _ => {}
        }
    }
    if wrong { Err("a component has no group, name or version".to_owned()) } else { Ok(()) }
}
